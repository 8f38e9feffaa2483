-- name: annotation_signs
-- A sign shows another message; over more than a day they would be too many to see anything else.
SELECT m.time AS time, m.device || ': ' || coalesce(nullif(m.multi, ''), '{{blank}}') AS text, 'vms' AS tags
FROM (
    SELECT s.time, s.device, s.multi, lag(s.multi) OVER (PARTITION BY s.device_id ORDER BY s.time, s.seq) AS before
    FROM analytics.sign_messages s
    WHERE s.site = ${site:sqlstring} AND s.step = 'status' AND $__timeFilter(s.time)
        AND $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '26 hours') m
WHERE m.multi IS DISTINCT FROM m.before AND m.before IS NOT NULL
ORDER BY 1

-- name: annotation_outages
-- A device that the board is about was away, from when to when.
SELECT o.onset AS time, coalesce(o."end", now()) AS "timeEnd", o.device || ': ' || o.state AS text, o.kind AS tags
FROM analytics.device_outages o
WHERE o.site = ${site:sqlstring} AND o.state <> 'online'
    AND o.device_id IN (SELECT d.device_id FROM analytics.devices d WHERE d.site = ${site:sqlstring} AND {{devices}})
    AND o.onset <= $__timeTo()::timestamptz AND coalesce(o."end", now()) >= $__timeFrom()::timestamptz
ORDER BY 1

-- name: annotation_alerts
-- An announced alert of a device that the board is about or of the whole site, at its onset: bands of many alerts would bury the charts.
SELECT a.onset AS time, a.rule || ' ' || coalesce(a.device, '') || ': ' || a.detail AS text, a.severity AS tags
FROM analytics.alerts a
WHERE a.site = ${site:sqlstring} AND a.announced_at IS NOT NULL AND a.severity <> 'info'
    AND (a.device_id <= 0 OR a.device_id IN (SELECT d.device_id FROM analytics.devices d WHERE d.site = ${site:sqlstring} AND {{devices}}))
    AND $__timeFilter(a.onset)
ORDER BY 1

-- name: annotation_changes
-- The site's configuration was changed: what of it, the first five things of those that came in together.
SELECT c.changed_at AS time,
    string_agg(c.what, '; ' ORDER BY c.number) FILTER (WHERE c.number <= 5)
        || CASE WHEN count(*) > 5 THEN ' … + ' || count(*) - 5 || ' {{others}}' ELSE '' END || ' (' || c.changed_by || ')' AS text,
    string_agg(DISTINCT c.kind, ',') AS tags
FROM (
    SELECT k.changed_at, k.changed_by, k.kind, row_number() OVER (PARTITION BY k.changed_at ORDER BY k.kind, k.element) AS number,
        k.kind || ' ' || k.element || ' '
            || CASE k.change WHEN 'added' THEN '{{added}}' WHEN 'removed' THEN '{{removed}}'
                ELSE '{{changed}}: ' || array_to_string(k.fields[1:4], ', ')
                    || CASE WHEN cardinality(k.fields) > 4 THEN ', …' ELSE '' END END AS what
    FROM analytics.config_changes k
    WHERE k.site = ${site:sqlstring} AND k.change <> 'begun' AND $__timeFilter(k.changed_at)) c
GROUP BY c.changed_at, c.changed_by ORDER BY 1
