-- name: cameras_state
-- Condition of each camera as intervals: from its counts' conditions where it has any, else from its health; and its silence.
WITH judged AS (
    SELECT greatest(c.onset, $__timeFrom()::timestamptz) AS time, c.device, c.condition AS state FROM analytics.camera_conditions c
    WHERE c.site = ${site:sqlstring} AND c.onset <= $__timeTo()::timestamptz AND coalesce(c."end", now()) >= $__timeFrom()::timestamptz),
said AS (
    SELECT j.* FROM judged j
    UNION ALL
    SELECT h.time, h.device,
        CASE WHEN h.covered THEN 'covered' WHEN h.frozen THEN 'frozen' WHEN h.moved THEN 'moved' WHEN h.fps = 0 THEN 'lost' ELSE 'ok' END
    FROM analytics.devices d
    CROSS JOIN LATERAL (
        SELECT x.* FROM analytics.camera_health x WHERE x.device_id = d.device_id AND x.fps IS NOT NULL AND $__timeFilter(x.time)) h
    WHERE d.site = ${site:sqlstring} AND d.kind = 'cctv' AND d.device NOT IN (SELECT k.device FROM judged k)
    UNION ALL
    SELECT n.time + interval '3 minutes', d.device, 'missing'
    FROM analytics.devices d
    CROSS JOIN LATERAL (
        SELECT x.time FROM analytics.camera_health x
        WHERE x.device_id = d.device_id AND x.fps IS NOT NULL AND $__timeFilter(x.time) ORDER BY x.time DESC LIMIT 1) n
    WHERE d.site = ${site:sqlstring} AND d.kind = 'cctv' AND n.time + interval '3 minutes' < least(now(), $__timeTo()::timestamptz))
SELECT s.time, s.device AS metric, s.state AS "Value"
FROM (SELECT d.*, lag(d.state) OVER (PARTITION BY d.device ORDER BY d.time, d.state) AS before,
        row_number() OVER (PARTITION BY d.device, d.time ORDER BY d.state) AS number FROM said d) s
WHERE s.state IS DISTINCT FROM s.before AND s.number = 1
ORDER BY 1, 2

-- name: cameras_events
-- Wrong way, stopped vehicles and people on the carriageway, newest first.
SELECT e.onset AS at, e.device, e.junction, e.kind, e.zone,
    CASE e.state WHEN 'open' THEN extract(epoch FROM now() - e.onset)::double precision ELSE e.value END AS lasting_s,
    CASE WHEN e.state = 'over' AND NOT e.end_seen THEN 'unseen' ELSE e.state END AS state
FROM analytics.camera_events e
WHERE e.site = ${site:sqlstring} AND $__timeFilter(e.onset)
ORDER BY 1 DESC LIMIT 200

-- name: cameras_against_loops
-- Each camera beside the loop of the same lane, all classes, quarters of an hour in which both counted; the newest 7 days of the range.
SELECT c.camera_device AS camera, c.loop_device AS loop, c.lane, c.daylight, count(*) AS quarters,
    sum(c.camera_volume)::double precision / nullif(sum(c.loop_volume), 0) AS ratio, 
    avg(CASE WHEN c.loop_volume + c.camera_volume = 0 THEN 0
        ELSE sqrt(8.0::double precision * (c.camera_volume - c.loop_volume)^2 / (c.camera_volume + c.loop_volume)) END) AS geh,
    100.0 * count(*) FILTER (WHERE c.quality = 'good') / count(*)::double precision AS good_share
FROM analytics.lane_comparisons c
WHERE c.site = ${site:sqlstring} AND $__timeFilter(c.start) AND c.start > $__timeTo()::timestamptz - interval '7 days'
    AND c.class = 'all' AND c.loop_volume IS NOT NULL AND c.camera_volume IS NOT NULL
GROUP BY 1, 2, 3, 4 ORDER BY avg(c.geh) DESC NULLS LAST, 1, 3

-- name: cameras_fps
-- Frames a second that each camera says it takes: mean of each step, beyond a day one report a step.
SELECT date_bin({{raw_step}}, c.time, {{origin}}) AS time, c.device AS metric, avg(c.fps) AS fps
FROM analytics.camera_health c
WHERE c.site = ${site:sqlstring} AND c.fps IS NOT NULL AND $__timeFilter(c.time) AND {{range}} <= interval '1 day 1 hour'
GROUP BY 1, 2
UNION ALL SELECT m.time, d.device, n.fps
FROM ({{moments}}) m
CROSS JOIN analytics.devices d
CROSS JOIN LATERAL (
    SELECT c.fps FROM analytics.camera_health c
    WHERE c.device_id = d.device_id AND c.fps IS NOT NULL AND c.time > m.time - interval '10 minutes' AND c.time <= m.time AND $__timeFilter(c.time)
    ORDER BY c.time DESC LIMIT 1) n
WHERE d.site = ${site:sqlstring} AND d.kind = 'cctv' AND {{range}} > interval '1 day 1 hour'
ORDER BY 1, 2

-- name: cameras_picture
-- Brightness of each picture: mean of each step, beyond a day one report a step.
SELECT date_bin({{raw_step}}, c.time, {{origin}}) AS time, c.device AS metric, avg(c.brightness) AS brightness
FROM analytics.camera_health c
WHERE c.site = ${site:sqlstring} AND c.brightness IS NOT NULL AND $__timeFilter(c.time) AND {{range}} <= interval '1 day 1 hour'
GROUP BY 1, 2
UNION ALL SELECT m.time, d.device, n.brightness
FROM ({{moments}}) m
CROSS JOIN analytics.devices d
CROSS JOIN LATERAL (
    SELECT c.brightness FROM analytics.camera_health c
    WHERE c.device_id = d.device_id AND c.brightness IS NOT NULL AND c.time > m.time - interval '10 minutes' AND c.time <= m.time AND $__timeFilter(c.time)
    ORDER BY c.time DESC LIMIT 1) n
WHERE d.site = ${site:sqlstring} AND d.kind = 'cctv' AND {{range}} > interval '1 day 1 hour'
ORDER BY 1, 2

-- name: cameras_sharpness
-- Sharpness of each picture: mean of each step, beyond a day one report a step.
SELECT date_bin({{raw_step}}, c.time, {{origin}}) AS time, c.device AS metric, avg(c.sharpness) AS sharpness
FROM analytics.camera_health c
WHERE c.site = ${site:sqlstring} AND c.sharpness IS NOT NULL AND $__timeFilter(c.time) AND {{range}} <= interval '1 day 1 hour'
GROUP BY 1, 2
UNION ALL SELECT m.time, d.device, n.sharpness
FROM ({{moments}}) m
CROSS JOIN analytics.devices d
CROSS JOIN LATERAL (
    SELECT c.sharpness FROM analytics.camera_health c
    WHERE c.device_id = d.device_id AND c.sharpness IS NOT NULL AND c.time > m.time - interval '10 minutes' AND c.time <= m.time AND $__timeFilter(c.time)
    ORDER BY c.time DESC LIMIT 1) n
WHERE d.site = ${site:sqlstring} AND d.kind = 'cctv' AND {{range}} > interval '1 day 1 hour'
ORDER BY 1, 2

-- name: cameras_now
-- Each camera now.
SELECT d.device, d.title, d.junction, d.presence,
    CASE WHEN n.time IS NULL THEN 'missing' WHEN j.condition IS NOT NULL THEN j.condition WHEN n.covered THEN 'covered' WHEN n.frozen THEN 'frozen' WHEN n.moved THEN 'moved' WHEN n.fps = 0 THEN 'lost' ELSE 'ok' END AS state,
    n.detail, n.fps, extract(epoch FROM now() - n.time)::double precision AS age_s
FROM analytics.devices d
LEFT JOIN LATERAL (
    SELECT * FROM analytics.camera_health c
    WHERE c.device_id = d.device_id AND c.fps IS NOT NULL AND c.time > now() - interval '1 day' AND c.time > {{day_before}} ORDER BY c.time DESC LIMIT 1) n ON true
LEFT JOIN LATERAL (
    SELECT k.condition FROM analytics.camera_conditions k
    WHERE k.device_id = d.device_id AND k."end" IS NULL ORDER BY k.quality <> 'missing', k.onset DESC LIMIT 1) j ON true
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
