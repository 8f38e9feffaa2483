-- name: totals
-- The figures of the demo's summary line.
SELECT
    coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,
    coalesce(sum(rejected), 0)::bigint,
    (SELECT count(*) FROM subak.lane_1min WHERE volume IS NOT NULL),
    (SELECT count(*) FROM subak.device_state s JOIN subak.device d USING (device_id) WHERE d.active AND s.presence = 'online'),
    (SELECT round(extract(epoch FROM now() - max(revised_at)), 1)::double precision
     FROM subak.lane_1min WHERE volume IS NOT NULL AND start > now() - INTERVAL '10 minutes')
FROM subak.ledger
