-- name: quality_devices
-- Every device: state, silent since when, why, and its share of good minutes in the last hour; what needs attention first.
SELECT d.kind, d.device, d.title, d.state, d.last_received_at AS silent_since, d.age_s, q.good_share, q.worst, l.lost, l.rejected
FROM (
    SELECT x.*, extract(epoch FROM now() - x.last_received_at)::double precision AS age_s,
        CASE
            WHEN x.last_received_at IS NULL THEN 'never'
            WHEN x.presence IN ('offline', 'shutdown') THEN x.presence
            WHEN x.last_received_at < now() - greatest(3 * coalesce(x.period_s, 60), 30) * interval '1 second' THEN 'silent'
            ELSE 'online'
        END AS state
    FROM analytics.devices x WHERE x.site = ${site:sqlstring} AND x.active) d
LEFT JOIN (
    SELECT b.device, 100.0 * count(*) FILTER (WHERE b.quality = 'good') / count(*)::double precision AS good_share,
        mode() WITHIN GROUP (ORDER BY b.quality) FILTER (WHERE b.quality <> 'good') AS worst
    FROM analytics.lane_1min b
    WHERE b.site = ${site:sqlstring} AND b.final AND b.start > now() - interval '1 hour' AND b.start > {{day_before}} GROUP BY 1) q USING (device)
LEFT JOIN (
    SELECT g.device, sum(g.lost) - sum(g.recovered) AS lost, sum(g.rejected) AS rejected
    FROM analytics.ledger g WHERE g.site = ${site:sqlstring} AND g.minute > now() - interval '1 hour' GROUP BY 1) l USING (device)
ORDER BY (d.state = 'online'), coalesce(q.good_share, 100), d.age_s DESC NULLS FIRST, d.device

-- name: quality_silent
-- Devices that do not report now.
SELECT count(*) FILTER (
    WHERE d.last_received_at IS NULL OR d.presence IN ('offline', 'shutdown')
        OR d.last_received_at < now() - greatest(3 * coalesce(d.period_s, 60), 30) * interval '1 second') AS silent
FROM analytics.devices d
WHERE d.site = ${site:sqlstring} AND d.active HAVING count(*) > 0

-- name: quality_share
-- Share of good minutes by junction, of quarters of an hour at least: single minutes would only draw strokes.
WITH bins AS ({{bins_site}})
SELECT date_bin(greatest({{step}}, interval '15 minutes'), b.start, {{origin}}) AS time, b.junction AS metric, 100.0 * sum(b.good)::double precision / nullif(sum(b.minutes), 0) AS good_share
FROM bins b GROUP BY 1, 2 ORDER BY 1, 2

-- name: quality_worst_lanes
-- Lanes with the least good data in the range.
WITH bins AS ({{bins_site}})
SELECT b.device || ' ' || b.lane AS lane, 100.0 * sum(b.good)::double precision / nullif(sum(b.minutes), 0) AS good_share
FROM bins b GROUP BY 1 ORDER BY 2, 1 LIMIT 10

-- name: quality_outages
-- Presence of each device over the range.
SELECT greatest(o.onset, $__timeFrom()::timestamptz) AS time, o.device AS metric, o.state AS "Value"
FROM analytics.device_outages o
WHERE o.site = ${site:sqlstring} AND o.onset <= $__timeTo()::timestamptz AND coalesce(o."end", now()) >= $__timeFrom()::timestamptz
    AND o.device_id IN (SELECT p.device_id FROM analytics.device_outages p WHERE p.state <> 'online' AND coalesce(p."end", now()) >= $__timeFrom()::timestamptz)
ORDER BY 1, 2

-- name: quality_revised
-- Minutes that late data changed after they were final.
WITH bins AS ({{bins_site}})
SELECT b.start AS time, sum(b.revision)::double precision AS revised FROM bins b GROUP BY 1 ORDER BY 1
