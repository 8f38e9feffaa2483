-- name: junction_flow_by_class
-- Flow of each class, mean of the lanes that observed it: lanes without valid data neither count as zero nor fill in.
WITH bins AS ({{bins_junction}})
SELECT g.time,
    sum(b.sm) / nullif(sum(b.hours), 0) AS sm, sum(b.mp) / nullif(sum(b.hours), 0) AS mp, sum(b.ks) / nullif(sum(b.hours), 0) AS ks,
    sum(b.bb) / nullif(sum(b.hours), 0) AS bb, sum(b.tb) / nullif(sum(b.hours), 0) AS tb, sum(b.ktb) / nullif(sum(b.hours), 0) AS ktb
FROM ({{grid}}) g
LEFT JOIN (
    SELECT start, sm, mp, ks, bb, tb, ktb, completeness::double precision * extract(epoch FROM step)::double precision / 3600 AS hours
    FROM bins WHERE volume IS NOT NULL) b ON b.start = g.time
GROUP BY 1 ORDER BY 1

-- name: junction_flow_by_lane
-- Flow of each lane.
WITH bins AS ({{bins_junction}})
SELECT g.time, l.lane AS metric, b.flow::double precision AS flow
FROM ({{grid}}) g
CROSS JOIN (SELECT DISTINCT lane_id, lane FROM bins) l
LEFT JOIN bins b ON b.start = g.time AND b.lane_id = l.lane_id
ORDER BY 1, 2

-- name: junction_speed
-- Mean speed by approach, weighted by volume.
WITH bins AS ({{bins_junction}})
SELECT g.time, l.approach AS metric, (sum(b.speed * b.volume) / nullif(sum(b.volume) FILTER (WHERE b.speed IS NOT NULL), 0))::double precision AS speed
FROM ({{grid}}) g
CROSS JOIN (SELECT DISTINCT approach FROM bins) l
LEFT JOIN bins b ON b.start = g.time AND b.approach = l.approach
GROUP BY 1, 2 ORDER BY 1, 2

-- name: junction_occupancy
-- Mean occupancy by approach over its lanes with valid data.
WITH bins AS ({{bins_junction}})
SELECT g.time, l.approach AS metric, avg(b.occupancy)::double precision AS occupancy
FROM ({{grid}}) g
CROSS JOIN (SELECT DISTINCT approach FROM bins) l
LEFT JOIN bins b ON b.start = g.time AND b.approach = l.approach
GROUP BY 1, 2 ORDER BY 1, 2

-- name: junction_quality
-- Share of the inputs by quality, and bins that late data changed.
WITH bins AS ({{bins_junction}})
SELECT g.time,
    100.0 * sum(b.good)::double precision / nullif(sum(b.minutes), 0) AS good,
    100.0 * sum(b.partial)::double precision / nullif(sum(b.minutes), 0) AS partial,
    100.0 * sum(b.imputed)::double precision / nullif(sum(b.minutes), 0) AS imputed,
    100.0 * sum(b.suspect)::double precision / nullif(sum(b.minutes), 0) AS suspect,
    100.0 * sum(b.missing)::double precision / nullif(sum(b.minutes), 0) AS missing,
    sum(b.revision)::double precision AS revised
FROM ({{grid}}) g
LEFT JOIN bins b ON b.start = g.time
GROUP BY 1 ORDER BY 1

-- name: junction_lane_quality
-- Quality of each lane over time, the worst of the bin.
WITH bins AS ({{bins_junction}})
SELECT g.time, l.lane AS metric,
    CASE
        WHEN b.lane_id IS NULL THEN 'missing' WHEN b.missing > 0 THEN 'missing' WHEN b.suspect > 0 THEN 'suspect'
        WHEN b.imputed > 0 THEN 'imputed' WHEN b.partial > 0 THEN 'partial' ELSE 'good'
    END AS "Value"
FROM ({{grid}}) g
CROSS JOIN (SELECT DISTINCT lane_id, lane FROM bins) l
LEFT JOIN bins b ON b.start = g.time AND b.lane_id = l.lane_id
ORDER BY 1, 2

-- name: junction_now
-- The newest final minute of each approach.
SELECT l.approach,
    sum(b.flow)::double precision AS flow,
    (sum(b.speed * b.volume) / nullif(sum(b.volume) FILTER (WHERE b.speed IS NOT NULL), 0))::double precision AS speed,
    avg(b.occupancy)::double precision AS occupancy,
    100.0 * count(*) FILTER (WHERE b.quality = 'good') / count(*)::double precision AS good_share,
    extract(epoch FROM now() - max(b.start) FILTER (WHERE b.volume IS NOT NULL) - interval '1 minute')::double precision AS age_s
FROM analytics.lanes l
LEFT JOIN LATERAL (
    SELECT n.* FROM analytics.lane_1min n
    WHERE n.lane_id = l.lane_id AND n.final AND n.start > now() - interval '2 hours' AND n.start > {{day_before}} ORDER BY n.start DESC LIMIT 1) b ON true
WHERE l.site = ${site:sqlstring} AND l.junction = ${junction:sqlstring} AND l.kind = 'atc' AND l.active
GROUP BY 1 ORDER BY 1

-- name: junction_camera_beside_loop
-- What a camera's counting line and the loop of the same lane count, summed over lanes that both watch validly.
WITH loops AS ({{bins_junction}}), views AS ({{bins_cameras}})
SELECT g.time, sum(l.flow)::double precision AS loop_flow, sum(v.flow)::double precision AS camera_flow
FROM ({{grid}}) g
LEFT JOIN loops l ON l.start = g.time AND l.flow IS NOT NULL
    AND EXISTS (SELECT 1 FROM views w WHERE w.start = l.start AND w.lane = l.lane AND w.flow IS NOT NULL)
LEFT JOIN views v ON v.start = l.start AND v.lane = l.lane
WHERE EXISTS (SELECT 1 FROM views w WHERE w.flow IS NOT NULL)
GROUP BY 1 ORDER BY 1
