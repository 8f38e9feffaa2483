-- A camera that restarts in mid-event never tells the end. Its health reports say what goes on; what they no longer carry is over.
ALTER TABLE subak.camera_health ADD COLUMN ongoing text[];
COMMENT ON COLUMN subak.camera_health.ongoing IS 'Events that go on, each as "onset in µs, kind, zone"; NULL when the camera cannot tell.';

-- Frames and blind reports are not in it: the next report that tells is one step away.
CREATE INDEX camera_health_ongoing ON subak.camera_health (device_id, time) WHERE ongoing IS NOT NULL;

-- A function of the stored messages alone: the end that was told or else, by time, the first report that no longer carries the event
-- after one that did (or after its onset, for cameras that did not tell yet). A camera carries an event at latest with the news of it.
CREATE OR REPLACE VIEW analytics.camera_events AS
SELECT
    s.name AS site, d.name AS device, d.junction, e.kind, e.zone, e.onset, coalesce(e."end", u.time) AS "end",
    extract(epoch FROM e."end" - e.onset)::double precision AS value, e.device_id,
    CASE WHEN e."end" IS NOT NULL THEN true WHEN u.time IS NOT NULL THEN false END AS end_seen,
    CASE
        WHEN e."end" IS NOT NULL OR u.time IS NOT NULL THEN 'over'
        WHEN c.condition IN ('covered', 'frozen', 'moved', 'lost') THEN 'unknown'
        ELSE 'open'
    END AS state
FROM (
    SELECT
        device_id, onset, kind, zone, max("end") AS "end",
        (extract(epoch FROM onset) * 1000000)::bigint || ' ' || kind || ' ' || zone AS name
    FROM subak.camera_event
    WHERE NOT future
    GROUP BY device_id, onset, kind, zone
) e
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id)
LEFT JOIN LATERAL (
    SELECT h.time
    FROM subak.camera_health h
    WHERE e."end" IS NULL AND h.device_id = e.device_id AND h.ongoing IS NOT NULL AND NOT h.future AND e.name <> ALL (h.ongoing)
        AND h.time > e.onset
        AND h.time > coalesce((
            SELECT min(t.time)
            FROM subak.camera_health t
            WHERE t.device_id = e.device_id AND t.ongoing IS NOT NULL AND NOT t.future AND e.name = ANY (t.ongoing)
                AND t.time >= e.onset AND t.time < e.onset + INTERVAL '1 hour'
        ), e.onset)
    ORDER BY h.time
    LIMIT 1
) u ON true
LEFT JOIN LATERAL (
    SELECT k.condition
    FROM subak.camera_condition k
    WHERE e."end" IS NULL AND k.device_id = e.device_id AND NOT k.future
    ORDER BY k.time DESC, k.condition DESC
    LIMIT 1
) c ON true;
COMMENT ON COLUMN analytics.camera_events."end" IS 'NULL while it lasts or may last (UTC). What `end_seen` says decides: when it ended, or by when it was over.';
COMMENT ON COLUMN analytics.camera_events.value IS 'How long it lasted (s); NULL while it lasts and when nobody saw its end.';
COMMENT ON COLUMN analytics.camera_events.end_seen IS 'true: the camera saw it end; false: it no longer went on when the camera could tell again, after a restart; NULL: no end is known.';
COMMENT ON COLUMN analytics.camera_events.state IS 'open, over, or unknown: the camera cannot see whether it goes on.';

CREATE OR REPLACE VIEW analytics.camera_health AS
SELECT
    s.name AS site, d.name AS device, d.junction, h.time, h.seq, h.fps, h.brightness, h.sharpness, h.frozen, h.moved, h.covered,
    h.frame_bytes, h.received_at, h.device_id, h.grade, h.reconnects, h.stalls, h.detail, h.ongoing
FROM subak.camera_health h
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON COLUMN analytics.camera_health.ongoing IS 'Events that go on, each as "onset in µs, kind, zone"; NULL when the camera cannot tell.';
