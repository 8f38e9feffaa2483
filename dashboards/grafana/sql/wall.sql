-- name: wall_map
-- Each approach on its link, near the junction: speed of the newest minutes against the limit; -1 stands for no valid data.
-- The slowest last: a map draws what comes later on top.
SELECT a.junction, a.approach, k.road,
    ((k.geometry -> -1 ->> 0)::double precision * 0.72 + (k.geometry -> -2 ->> 0)::double precision * 0.28) AS latitude,
    ((k.geometry -> -1 ->> 1)::double precision * 0.72 + (k.geometry -> -2 ->> 1)::double precision * 0.28) AS longitude,
    coalesce(100 * n.speed / k.speed_limit_kmh, -1)::double precision AS share,
    coalesce(round(n.speed)::text, '–') AS label, n.speed, n.flow, coalesce(n.good_share, 0) AS good_share, coalesce(n.age_s, 86400) AS age_s
FROM analytics.approaches a
JOIN analytics.links k ON k.site = a.site AND k.link = a.link
LEFT JOIN (
    SELECT b.junction, b.approach,
        (sum(b.speed * b.volume) / nullif(sum(b.volume) FILTER (WHERE b.speed IS NOT NULL), 0))::double precision AS speed,
        avg(b.flow)::double precision AS flow,
        100.0 * count(*) FILTER (WHERE b.quality = 'good') / count(*)::double precision AS good_share,
        extract(epoch FROM now() - max(b.start) FILTER (WHERE b.volume IS NOT NULL) - interval '1 minute')::double precision AS age_s
    FROM analytics.lane_1min b
    WHERE b.kind = 'atc' AND b.site = ${site:sqlstring} AND b.final AND b.start > now() - interval '8 minutes' AND b.start > {{day_before}}
    GROUP BY 1, 2) n ON n.junction = a.junction AND n.approach = a.approach
WHERE a.site = ${site:sqlstring}
ORDER BY n.speed IS NULL DESC, n.speed / k.speed_limit_kmh DESC, 1, 2

-- name: wall_ages
-- The same places by the age of their newest valid minute; a day stands for none within 8 minutes. The oldest last, on top.
SELECT a.junction_title, a.junction, a.latitude, a.longitude, coalesce(extract(epoch FROM a.age), 86400)::double precision AS age_s,
    coalesce(a.good_share, 0) AS good_share, coalesce({{spell}}, '–') AS label
FROM (
    SELECT d.title AS junction_title, d.junction, d.latitude, d.longitude, now() - n.newest - interval '1 minute' AS age, n.good_share
    FROM analytics.devices d
    LEFT JOIN (
        SELECT b.junction, max(b.start) FILTER (WHERE b.volume IS NOT NULL) AS newest,
            100.0 * count(*) FILTER (WHERE b.quality = 'good') / count(*)::double precision AS good_share
        FROM analytics.lane_1min b
        WHERE b.kind = 'atc' AND b.site = ${site:sqlstring} AND b.final AND b.start > now() - interval '8 minutes' AND b.start > {{day_before}}
        GROUP BY 1) n USING (junction)
    WHERE d.site = ${site:sqlstring} AND d.kind = 'atc' AND d.active) a
ORDER BY a.age NULLS LAST, 1

-- name: wall_alerts
-- Open alerts that were announced, the most severe first.
SELECT a.severity, a.rule, coalesce(a.device, '') AS device, a.element, a.onset, a.detail, a.junction
FROM analytics.alerts a
WHERE a.site = ${site:sqlstring} AND a."end" IS NULL AND a.announced_at IS NOT NULL
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a.severity), a.onset DESC LIMIT 50

-- name: wall_alert_count
-- How many of them.
SELECT count(*) FILTER (WHERE a.severity = 'critical') AS critical, count(*) FILTER (WHERE a.severity = 'warning') AS warning
FROM analytics.alerts a
WHERE a.site = ${site:sqlstring} AND a."end" IS NULL AND a.announced_at IS NOT NULL

-- name: wall_worst
-- Approaches with the lowest speed over the last ten minutes; at least ten vehicles with a speed.
SELECT b.junction, b.approach,
    (sum(b.speed * b.volume) / sum(b.volume))::double precision AS speed
FROM analytics.lane_1min b
WHERE b.kind = 'atc' AND b.site = ${site:sqlstring} AND b.final AND b.start > now() - interval '12 minutes' AND b.start > {{day_before}}
    AND b.speed IS NOT NULL AND b.quality IN ('good', 'partial')
GROUP BY 1, 2 HAVING sum(b.volume) >= 10
ORDER BY speed LIMIT 5

-- name: wall_reporting
-- Devices that report, of all.
SELECT
    count(*) FILTER (
        WHERE d.presence IS DISTINCT FROM 'offline' AND d.presence IS DISTINCT FROM 'shutdown'
            AND d.last_received_at > now() - greatest(3 * coalesce(d.period_s, 60), 30) * interval '1 second') AS reporting,
    count(*) AS devices
FROM analytics.devices d
WHERE d.site = ${site:sqlstring} AND d.active HAVING count(*) > 0

-- name: wall_quality
-- Share of good minutes of all loops over the last quarter of an hour.
SELECT 100.0 * count(*) FILTER (WHERE b.quality = 'good') / nullif(count(*), 0)::double precision AS good_share
FROM analytics.lane_1min b
WHERE b.kind = 'atc' AND b.site = ${site:sqlstring} AND b.final AND b.start > now() - interval '17 minutes' AND b.start > {{day_before}}
HAVING count(*) > 0

-- name: wall_signs
-- What each sign shows and by what right; faults first.
SELECT d.device, coalesce(nullif(regexp_replace(s.multi, '\[nl[0-9]*\]|\[np\]', ' / ', 'g'), ''), '{{blank}}') AS message, s.source_mode,
    d.presence, array_to_string(s.faults, ', ') AS faults, extract(epoch FROM now() - d.last_received_at)::double precision AS age_s
FROM analytics.devices d
LEFT JOIN LATERAL (
    SELECT m.multi, m.source_mode, m.faults FROM analytics.sign_messages m
    WHERE m.device_id = d.device_id AND m.step = 'status' ORDER BY m.time DESC, m.seq DESC LIMIT 1) s ON true
WHERE d.site = ${site:sqlstring} AND d.kind = 'vms' AND d.active
ORDER BY coalesce(cardinality(s.faults), 0) DESC, 1
