-- name: variable_site
-- Sites by name.
SELECT DISTINCT d.site FROM analytics.devices d WHERE d.site IS NOT NULL ORDER BY 1

-- name: variable_junction
-- Junctions with a controller.
SELECT d.title AS __text, d.junction AS __value FROM analytics.devices d
WHERE d.site = ${site:sqlstring} AND d.kind = 'atc' AND d.active ORDER BY 1

-- name: variable_approach
-- Approaches of the junction.
SELECT DISTINCT l.approach FROM analytics.lanes l WHERE l.site = ${site:sqlstring} AND l.junction = ${junction:sqlstring} AND l.active ORDER BY 1

-- name: variable_lane
-- Lanes of the chosen approaches.
SELECT DISTINCT l.lane FROM analytics.lanes l
WHERE l.site = ${site:sqlstring} AND l.junction = ${junction:sqlstring} AND l.active
    AND ('__all' IN (${approach:sqlstring}) OR l.approach IN (${approach:sqlstring})) ORDER BY 1

-- name: variable_corridor
-- Corridors of the site.
SELECT DISTINCT c.title AS __text, c.corridor AS __value FROM analytics.corridors c WHERE c.site = ${site:sqlstring} ORDER BY 1
