-- name: cameras_state
-- Condition of each camera over time, from what it says of itself; changes only, and its silence.
WITH said AS (
    SELECT c.time, c.device,
        CASE WHEN c.covered THEN 'covered' WHEN c.frozen THEN 'frozen' WHEN c.moved THEN 'moved' WHEN c.fps = 0 THEN 'lost' ELSE 'ok' END AS state
    FROM analytics.camera_health c
    WHERE c.site = ${site:sqlstring} AND c.fps IS NOT NULL AND $__timeFilter(c.time)
    UNION ALL
    SELECT max(c.time) + interval '3 minutes', c.device, 'missing' FROM analytics.camera_health c
    WHERE c.site = ${site:sqlstring} AND c.fps IS NOT NULL AND $__timeFilter(c.time)
    GROUP BY 2 HAVING max(c.time) + interval '3 minutes' < least(now(), $__timeTo()::timestamptz))
SELECT h.time, h.device AS metric, h.state AS "Value"
FROM (SELECT s.*, lag(s.state) OVER (PARTITION BY s.device ORDER BY s.time) AS before FROM said s) h
WHERE h.state IS DISTINCT FROM h.before
ORDER BY 1, 2

-- name: cameras_fps
-- Frames a second that each camera says it takes.
SELECT to_timestamp(floor(extract(epoch FROM c.time) / l.step) * l.step) AS time, c.device AS metric, avg(c.fps) AS fps
FROM analytics.camera_health c, (SELECT greatest(60, ($__interval_ms / 60000) * 60)::double precision AS step) l
WHERE c.site = ${site:sqlstring} AND c.fps IS NOT NULL AND $__timeFilter(c.time)
GROUP BY 1, 2 ORDER BY 1, 2

-- name: cameras_picture
-- Brightness of each picture.
SELECT to_timestamp(floor(extract(epoch FROM c.time) / l.step) * l.step) AS time, c.device AS metric, avg(c.brightness) AS brightness
FROM analytics.camera_health c, (SELECT greatest(60, ($__interval_ms / 60000) * 60)::double precision AS step) l
WHERE c.site = ${site:sqlstring} AND c.brightness IS NOT NULL AND $__timeFilter(c.time)
GROUP BY 1, 2 ORDER BY 1, 2

-- name: cameras_sharpness
-- Sharpness of each picture.
SELECT to_timestamp(floor(extract(epoch FROM c.time) / l.step) * l.step) AS time, c.device AS metric, avg(c.sharpness) AS sharpness
FROM analytics.camera_health c, (SELECT greatest(60, ($__interval_ms / 60000) * 60)::double precision AS step) l
WHERE c.site = ${site:sqlstring} AND c.sharpness IS NOT NULL AND $__timeFilter(c.time)
GROUP BY 1, 2 ORDER BY 1, 2

-- name: cameras_now
-- Each camera now.
SELECT d.device, d.title, d.junction, d.presence,
    CASE WHEN n.time IS NULL THEN 'missing' WHEN n.covered THEN 'covered' WHEN n.frozen THEN 'frozen' WHEN n.moved THEN 'moved' WHEN n.fps = 0 THEN 'lost' ELSE 'ok' END AS state,
    n.fps, n.brightness, n.sharpness, extract(epoch FROM now() - n.time)::double precision AS age_s
FROM analytics.devices d
LEFT JOIN LATERAL (
    SELECT * FROM analytics.camera_health c
    WHERE c.device_id = d.device_id AND c.fps IS NOT NULL AND c.time > now() - interval '1 day' ORDER BY c.time DESC LIMIT 1) n ON true
WHERE d.site = ${site:sqlstring} AND d.kind = 'cctv' AND d.active
ORDER BY 1

-- name: cameras_counts
-- Flow over each camera's counting lines.
WITH bins AS ({{bins_views}})
SELECT g.time, l.device AS metric, sum(b.flow)::double precision AS flow
FROM ({{grid}}) g
CROSS JOIN (SELECT DISTINCT lane_id, device FROM bins) l
LEFT JOIN bins b ON b.start = g.time AND b.lane_id = l.lane_id
GROUP BY 1, 2 ORDER BY 1, 2
