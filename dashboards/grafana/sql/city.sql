-- name: city_status
-- Each network link, access point and application now.
SELECT d.kind, d.device, d.title, d.presence, extract(epoch FROM now() - d.last_received_at)::double precision AS age_s
FROM analytics.devices d
WHERE d.site = ${site:sqlstring} AND d.active AND d.kind IN ('net', 'wifi', 'app')
ORDER BY (d.presence = 'online') NULLS FIRST, d.last_received_at NULLS FIRST, 1, 2

-- name: city_metric
-- One metric of every device that reports it: mean of each step, beyond a day one reading a step.
SELECT date_bin({{raw_step}}, r.time, {{origin}}) AS time, r.device AS metric, avg(r.value) AS value
FROM analytics.sensor_readings r
WHERE r.site = ${site:sqlstring} AND r.metric = '{{metric}}' AND $__timeFilter(r.time) AND {{range}} <= interval '1 day 1 hour'
GROUP BY 1, 2
UNION ALL SELECT m.time, d.device, n.value
FROM ({{moments}}) m
CROSS JOIN analytics.devices d
CROSS JOIN LATERAL (
    SELECT r.value FROM analytics.sensor_readings r
    WHERE r.device_id = d.device_id AND r.metric = '{{metric}}' AND r.time > m.time - interval '10 minutes' AND r.time <= m.time AND $__timeFilter(r.time)
    ORDER BY r.time DESC LIMIT 1) n
WHERE d.site = ${site:sqlstring} AND d.kind IN ({{kinds}}) AND {{range}} > interval '1 day 1 hour'
ORDER BY 1, 2

-- name: city_history
-- Presence of each of them over the range.
SELECT greatest(o.onset, $__timeFrom()::timestamptz) AS time, o.device AS metric, o.state AS "Value"
FROM analytics.device_outages o
WHERE o.site = ${site:sqlstring} AND o.kind IN ('net', 'wifi', 'app')
    AND o.onset <= $__timeTo()::timestamptz AND coalesce(o."end", now()) >= $__timeFrom()::timestamptz
ORDER BY 1, 2
