-- name: annotation_signs
-- A sign shows another message.
SELECT m.time AS time, m.device || ': ' || coalesce(nullif(m.multi, ''), '{{blank}}') AS text, 'vms' AS tags
FROM (
    SELECT s.time, s.device, s.multi, lag(s.multi) OVER (PARTITION BY s.device_id ORDER BY s.time, s.seq) AS before
    FROM analytics.sign_messages s
    WHERE s.site = ${site:sqlstring} AND s.step = 'status' AND $__timeFilter(s.time)) m
WHERE m.multi IS DISTINCT FROM m.before AND m.before IS NOT NULL
ORDER BY 1

-- name: annotation_outages
-- A device was away, from when to when.
SELECT o.onset AS time, coalesce(o."end", now()) AS "timeEnd", o.device || ': ' || o.state AS text, o.kind AS tags
FROM analytics.device_outages o
WHERE o.site = ${site:sqlstring} AND o.state <> 'online'
    AND o.onset <= $__timeTo()::timestamptz AND coalesce(o."end", now()) >= $__timeFrom()::timestamptz
ORDER BY 1

-- name: annotation_alerts
-- An announced alert, from onset to end.
SELECT a.onset AS time, coalesce(a."end", now()) AS "timeEnd", a.rule || ' ' || coalesce(a.device, '') || ': ' || a.detail AS text, a.severity AS tags
FROM analytics.alerts a
WHERE a.site = ${site:sqlstring} AND a.announced_at IS NOT NULL AND a.severity <> 'info'
    AND a.onset <= $__timeTo()::timestamptz AND coalesce(a."end", now()) >= $__timeFrom()::timestamptz
ORDER BY 1
