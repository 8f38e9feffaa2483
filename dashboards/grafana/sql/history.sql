-- name: history_heatmap
-- Mean flow a lane by weekday (1 is Monday) and local hour, from good hours only: one row an hour of the day.
SELECT h.hour, max(h.flow) FILTER (WHERE h.day = 1) AS monday, max(h.flow) FILTER (WHERE h.day = 2) AS tuesday,
    max(h.flow) FILTER (WHERE h.day = 3) AS wednesday, max(h.flow) FILTER (WHERE h.day = 4) AS thursday,
    max(h.flow) FILTER (WHERE h.day = 5) AS friday, max(h.flow) FILTER (WHERE h.day = 6) AS saturday, max(h.flow) FILTER (WHERE h.day = 7) AS sunday
FROM (
    SELECT to_char(b.start AT TIME ZONE '{{zone}}', 'HH24') AS hour, extract(isodow FROM b.start AT TIME ZONE '{{zone}}')::int AS day,
        avg(b.flow)::double precision AS flow
    FROM analytics.lane_1h b
    WHERE b.kind = 'atc' AND b.site = ${site:sqlstring} AND b.junction = ${junction:sqlstring} AND $__timeFilter(b.start)
        AND ('__all' IN (${approach:sqlstring}) OR b.approach IN (${approach:sqlstring}))
        AND b.flow IS NOT NULL AND b.suspect + b.imputed + b.missing = 0
    GROUP BY 1, 2) h
GROUP BY 1 ORDER BY 1

-- name: history_against_before
-- Flow a lane, the same moment one week earlier, and the usual of that weekday and quarter of an hour; the newest 15 days of the range.
WITH lanes AS (
    SELECT x.start, avg(x.flow)::double precision AS flow FROM analytics.lane_15min x
    WHERE x.kind = 'atc' AND x.site = ${site:sqlstring} AND x.junction = ${junction:sqlstring}
        AND ('__all' IN (${approach:sqlstring}) OR x.approach IN (${approach:sqlstring}))
        AND x.start >= greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - interval '15 days') - interval '7 days'
        AND x.start <= $__timeTo()::timestamptz
    GROUP BY 1), usual AS (
    SELECT u.weekday, u.slot, avg(u.volume_median * 4)::double precision AS flow FROM analytics.lane_usual u
    WHERE u.site = ${site:sqlstring} AND u.junction = ${junction:sqlstring}
        AND ('__all' IN (${approach:sqlstring}) OR u.approach IN (${approach:sqlstring}))
    GROUP BY 1, 2)
SELECT g.time, n.flow, w.flow AS week_before, s.flow AS usual
FROM (SELECT generate_series(
        date_bin('15 minutes', greatest($__timeFrom()::timestamptz, $__timeTo()::timestamptz - interval '15 days'), timestamptz '2000-01-01 00:00Z'),
        $__timeTo()::timestamptz, interval '15 minutes') AS time) g
LEFT JOIN lanes n ON n.start = g.time
LEFT JOIN lanes w ON w.start = g.time - interval '7 days'
LEFT JOIN usual s ON s.weekday = extract(isodow FROM g.time AT TIME ZONE '{{zone}}') AND s.slot = (g.time AT TIME ZONE '{{zone}}')::time
ORDER BY 1

-- name: history_days
-- Vehicles a local day by lane, and how complete the day was: an incomplete day is no small day.
SELECT b.start AS time, sum(b.volume) FILTER (WHERE b.completeness >= 0.95)::double precision AS volume,
    (100.0 * avg(b.completeness))::double precision AS complete
FROM analytics.lane_1d b
WHERE b.kind = 'atc' AND b.site = ${site:sqlstring} AND b.junction = ${junction:sqlstring} AND $__timeFilter(b.start)
    AND ('__all' IN (${approach:sqlstring}) OR b.approach IN (${approach:sqlstring}))
GROUP BY 1 ORDER BY 1

-- name: history_flow
-- Mean flow a lane over the range.
WITH bins AS ({{bins_junction}})
SELECT g.time, avg(b.flow)::double precision AS flow, min(b.flow)::double precision AS lowest, max(b.flow)::double precision AS highest
FROM ({{grid}}) g LEFT JOIN bins b ON b.start = g.time
GROUP BY 1 ORDER BY 1
