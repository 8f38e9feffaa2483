-- name: corridor_speed
-- Mean speed by junction, weighted by volume. Added up before the grid is laid over it, so that no unused column is computed.
WITH bins AS ({{bins_corridor}}), sums AS MATERIALIZED (
    SELECT b.start, b.junction, sum(b.speed * b.volume) / nullif(sum(b.volume) FILTER (WHERE b.speed IS NOT NULL), 0) AS speed
    FROM bins b GROUP BY 1, 2
)
SELECT g.time, l.metric, s.speed::double precision AS speed
FROM ({{grid}}) g
CROSS JOIN ({{along}}) l
LEFT JOIN sums s ON s.start = g.time AND s.junction = l.junction
ORDER BY 1, 2

-- name: corridor_flow
-- Mean flow of the lanes with valid data, by junction.
WITH bins AS ({{bins_corridor}}), sums AS MATERIALIZED (
    SELECT b.start, b.junction, avg(b.flow) AS flow FROM bins b GROUP BY 1, 2
)
SELECT g.time, l.metric, s.flow::double precision AS flow
FROM ({{grid}}) g
CROSS JOIN ({{along}}) l
LEFT JOIN sums s ON s.start = g.time AND s.junction = l.junction
ORDER BY 1, 2

-- name: corridor_service
-- Speed as a share of the limit of the arriving links, at most 120 columns.
WITH bins AS ({{bins_corridor}}), sums AS MATERIALIZED (
    SELECT date_bin(greatest({{step}}, interval '5 minutes', {{range}} / 120), b.start, {{origin}}) AS start, b.junction, b.approach,
        sum(b.speed * b.volume) AS distance, sum(b.volume) FILTER (WHERE b.speed IS NOT NULL) AS volume
    FROM bins b GROUP BY 1, 2, 3
)
SELECT s.start AS time, l.metric,
    (100 * sum(s.distance) / nullif(sum(k.speed_limit_kmh * s.volume), 0))::double precision AS share
FROM sums s
JOIN ({{along}}) l ON l.junction = s.junction
JOIN analytics.approaches a ON a.site = ${site:sqlstring} AND a.junction = s.junction AND a.approach = s.approach
JOIN analytics.links k ON k.site = ${site:sqlstring} AND k.link = a.link
GROUP BY 1, 2 ORDER BY 1, 2

-- name: corridor_now
-- The newest final minute of each approach, slowest first.
SELECT l.junction, l.approach,
    sum(b.flow)::double precision AS flow,
    (sum(b.speed * b.volume) / nullif(sum(b.volume) FILTER (WHERE b.speed IS NOT NULL), 0))::double precision AS speed,
    avg(b.occupancy)::double precision AS occupancy,
    100.0 * count(*) FILTER (WHERE b.quality = 'good') / count(*)::double precision AS good_share,
    extract(epoch FROM now() - max(b.start) FILTER (WHERE b.volume IS NOT NULL) - interval '1 minute')::double precision AS age_s
FROM analytics.lanes l
LEFT JOIN LATERAL (
    SELECT n.* FROM analytics.lane_1min n
    WHERE n.lane_id = l.lane_id AND n.final AND n.start > now() - interval '15 minutes' AND n.start > {{day_before}} ORDER BY n.start DESC LIMIT 1) b ON true
WHERE l.site = ${site:sqlstring} AND l.kind = 'atc' AND l.active
    AND l.junction IN (SELECT a.junction FROM analytics.approaches a WHERE a.site = ${site:sqlstring} AND a.corridor = ${corridor:sqlstring})
GROUP BY 1, 2 ORDER BY 4 NULLS LAST, 1, 2
