-- A dead letter that was sent again after a fix is kept, and shows when.
ALTER TABLE subak.dead_letter ADD COLUMN redriven_at timestamptz;
ALTER TABLE subak.dead_letter ADD COLUMN redriven integer NOT NULL DEFAULT 0;

CREATE OR REPLACE VIEW analytics.dead_letters AS
SELECT
    s.name AS site, d.kind, d.name AS device, x.received_at, x.topic, x.reason, x.detail, x.partial, x.size, x.payload,
    x.dead_letter_id, x.device_id, x.redriven_at, x.redriven
FROM subak.dead_letter x
JOIN subak.device d USING (device_id)
LEFT JOIN subak.site s USING (site_id);
COMMENT ON COLUMN analytics.dead_letters.redriven_at IS 'When `subak deadletters redrive` last sent it again (UTC); NULL when it never was.';
COMMENT ON COLUMN analytics.dead_letters.redriven IS 'How often it was sent again.';
