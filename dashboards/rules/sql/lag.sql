-- Seconds since the end of the newest final minute of any lane.
SELECT
    $__timeTo()::timestamptz AS "time", l.site,
    coalesce(extract(epoch FROM $__timeTo()::timestamptz - max(b.start)) - 60, 3600)::double precision AS value
FROM analytics.lanes l
LEFT JOIN LATERAL (
    SELECT m.start
    FROM analytics.lane_1min m
    WHERE m.lane_id = l.lane_id AND m.final AND $__timeFilter(m.start) AND m.start + INTERVAL '1 minute' <= $__timeTo()::timestamptz
      AND m.revised_at <= $__timeTo()::timestamptz
    ORDER BY m.start DESC
    LIMIT 1
) b ON true
WHERE l.active AND l.site = {{site}}
GROUP BY l.site
ORDER BY 1, 2
