-- Faults that a sign reports of itself in its newest status; an open door is one.
SELECT
    $__timeTo()::timestamptz AS "time", g.site, g.device, m.faults::double precision AS value
FROM analytics.signs g
LEFT JOIN LATERAL (
    SELECT cardinality(s.faults) + coalesce(s.door_open, false)::int AS faults
    FROM analytics.sign_messages s
    WHERE s.device_id = g.device_id AND s.step = 'status' AND $__timeFilter(s.time)
      AND s.time >= $__timeTo()::timestamptz - {{fresh}} * INTERVAL '1 minute'
    ORDER BY s.time DESC, s.seq DESC
    LIMIT 1
) m ON true
WHERE g.active AND g.site = {{site}}
ORDER BY 1, 2, 3
