-- Why a camera is as it is: a lost one may first be off and then refuse a password, and a technician needs the reason of now.
ALTER TABLE subak.camera_health ADD COLUMN detail text;

CREATE OR REPLACE VIEW analytics.camera_health AS
SELECT
    s.name AS site, d.name AS device, d.junction, h.time, h.seq, h.fps, h.brightness, h.sharpness, h.frozen, h.moved, h.covered,
    h.frame_bytes, h.received_at, h.device_id, h.grade, h.reconnects, h.stalls, h.detail
FROM subak.camera_health h
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON COLUMN analytics.camera_health.detail IS 'Why the camera is as it is, with the numbers it was seen by; NULL for frames and for cameras that say nothing.';
