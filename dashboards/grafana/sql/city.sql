-- name: city_status
-- Each network link, access point and application now.
SELECT d.kind, d.device, d.title, d.presence, extract(epoch FROM now() - d.last_received_at)::double precision AS age_s
FROM analytics.devices d
WHERE d.site = ${site:sqlstring} AND d.active AND d.kind IN ('net', 'wifi', 'app')
ORDER BY (d.presence = 'online') NULLS FIRST, d.last_received_at NULLS FIRST, 1, 2

-- name: city_metric
-- One metric of every device that reports it.
SELECT to_timestamp(floor(extract(epoch FROM r.time) / l.step) * l.step) AS time, r.device AS metric, avg(r.value) AS value
FROM analytics.sensor_readings r, (SELECT greatest(60, ($__interval_ms / 60000) * 60)::double precision AS step) l
WHERE r.site = ${site:sqlstring} AND r.metric = '{{metric}}' AND $__timeFilter(r.time)
GROUP BY 1, 2 ORDER BY 1, 2

-- name: city_history
-- Presence of each of them over the range.
SELECT greatest(o.onset, $__timeFrom()::timestamptz) AS time, o.device AS metric, o.state AS "Value"
FROM analytics.device_outages o
WHERE o.site = ${site:sqlstring} AND o.kind IN ('net', 'wifi', 'app')
    AND o.onset <= $__timeTo()::timestamptz AND coalesce(o."end", now()) >= $__timeFrom()::timestamptz
ORDER BY 1, 2
