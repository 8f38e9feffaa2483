-- 1 where a sign shows other than what it last accepted and whose lease still held; 0 where it shows that, or is blank rightly.
SELECT
    $__timeTo()::timestamptz AS "time", g.site, g.device,
    CASE
        WHEN m.time IS NULL THEN NULL
        WHEN coalesce(m.multi, '') = CASE WHEN c.until > m.time THEN c.multi ELSE '' END THEN 0
        -- Between a command, or the end of its lease, and the next report, either is right.
        WHEN m.time - c.accepted_at < {{grace}} * INTERVAL '1 second' OR abs(extract(epoch FROM m.time - c.until)) < {{grace}} THEN 0
        ELSE 1
    END::double precision AS value
FROM analytics.signs g
LEFT JOIN LATERAL (
    SELECT s.time, s.multi
    FROM analytics.sign_messages s
    WHERE s.device_id = g.device_id AND s.step = 'status' AND $__timeFilter(s.time)
      AND s.time >= $__timeTo()::timestamptz - {{fresh}} * INTERVAL '1 minute'
    ORDER BY s.time DESC, s.seq DESC
    LIMIT 1
) m ON true
LEFT JOIN LATERAL (
    SELECT s.multi, s.time + s.lease_s * INTERVAL '1 second' AS until, r.time AS accepted_at
    FROM analytics.sign_messages s
    JOIN analytics.sign_messages r
        ON r.device_id = s.device_id AND r.step = 'result' AND r.command = s.command AND r.outcome = 'accepted'
    WHERE s.device_id = g.device_id AND s.step = 'command' AND s.time <= m.time AND r.time <= m.time
      AND s.time >= $__timeTo()::timestamptz - INTERVAL '1 day'
    ORDER BY s.time DESC, s.seq DESC
    LIMIT 1
) c ON true
WHERE g.active AND g.site = {{site}}
ORDER BY 1, 2, 3
