-- name: signs_now
-- What each sign shows, by what right and since when, unless that is more than 14 days ago; and the lease of a command of the last day.
SELECT d.device, d.title, coalesce(nullif(regexp_replace(s.multi, '\[nl[0-9]*\]|\[np\]', ' / ', 'g'), ''), '{{blank}}') AS message, s.source_mode, f.since,
    d.presence, array_to_string(s.faults, ', ') AS faults, c.lease_s,
    extract(epoch FROM now() - d.last_received_at)::double precision AS age_s
FROM analytics.devices d
LEFT JOIN LATERAL (
    SELECT m.multi, m.source_mode, m.faults, m.time FROM analytics.sign_messages m
    WHERE m.device_id = d.device_id AND m.step = 'status' ORDER BY m.time DESC, m.seq DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (
    SELECT m.time FROM analytics.sign_messages m
    WHERE m.device_id = d.device_id AND m.step = 'status' ORDER BY m.time LIMIT 1) e ON true
LEFT JOIN LATERAL (
    SELECT m.time FROM analytics.sign_messages m
    WHERE m.device_id = d.device_id AND m.step = 'status' AND m.time < s.time AND m.time > s.time - interval '14 days'
        AND m.multi IS DISTINCT FROM s.multi ORDER BY m.time DESC LIMIT 1) o ON true
LEFT JOIN LATERAL (
    SELECT m.time AS since FROM analytics.sign_messages m
    WHERE m.device_id = d.device_id AND m.step = 'status'
        AND m.time > coalesce(o.time, CASE WHEN e.time > s.time - interval '14 days' THEN e.time - interval '1 second' END)
    ORDER BY m.time LIMIT 1) f ON true
LEFT JOIN LATERAL (
    SELECT m.lease_s FROM analytics.sign_messages m
    WHERE m.device_id = d.device_id AND m.step = 'command' AND m.time > now() - interval '1 day' ORDER BY m.time DESC LIMIT 1) c ON true
WHERE d.site = ${site:sqlstring} AND d.kind = 'vms' AND d.active
ORDER BY 1

-- name: signs_timeline
-- What each sign showed over the newest 14 days of the range; changes only.
SELECT c.time, c.device AS metric, coalesce(nullif(regexp_replace(c.multi, '\[nl[0-9]*\]|\[np\]', ' / ', 'g'), ''), '{{blank}}') AS "Value"
FROM (
    SELECT m.time, m.device, m.multi, lag(m.multi) OVER w AS before, row_number() OVER w AS number
    FROM analytics.sign_messages m
    WHERE m.site = ${site:sqlstring} AND m.step = 'status' AND $__timeFilter(m.time) AND m.time > $__timeTo()::timestamptz - interval '14 days'
    WINDOW w AS (PARTITION BY m.device_id ORDER BY m.time, m.seq)) c
WHERE c.number = 1 OR c.multi IS DISTINCT FROM c.before
ORDER BY 1, 2

-- name: signs_mode
-- By what right each sign showed it over the newest 14 days of the range; changes only.
SELECT c.time, c.device AS metric, c.mode AS "Value"
FROM (
    SELECT m.time, m.device, coalesce(m.source_mode, '?') AS mode, lag(coalesce(m.source_mode, '?')) OVER w AS before
    FROM analytics.sign_messages m
    WHERE m.site = ${site:sqlstring} AND m.step = 'status' AND $__timeFilter(m.time) AND m.time > $__timeTo()::timestamptz - interval '14 days'
    WINDOW w AS (PARTITION BY m.device_id ORDER BY m.time, m.seq)) c
WHERE c.mode IS DISTINCT FROM c.before
ORDER BY 1, 2

-- name: signs_commands
-- Commands and what the signs answered.
SELECT m.time AS at, m.device, m.step, m.command, m.multi AS message, m.priority, m.lease_s, m.outcome, m.error
FROM analytics.sign_messages m
WHERE m.site = ${site:sqlstring} AND m.step IN ('command', 'result') AND $__timeFilter(m.time)
ORDER BY 1 DESC LIMIT 200

-- name: signs_brightness
-- Brightness of each sign: every report, beyond a day one a step.
SELECT m.time, m.device AS metric, m.brightness
FROM analytics.sign_messages m
WHERE m.site = ${site:sqlstring} AND m.step = 'status' AND $__timeFilter(m.time) AND {{range}} <= interval '1 day 1 hour'
UNION ALL SELECT m.time, d.device, n.brightness
FROM ({{moments}}) m
CROSS JOIN analytics.devices d
CROSS JOIN LATERAL (
    SELECT k.brightness FROM analytics.sign_messages k
    WHERE k.device_id = d.device_id AND k.step = 'status' AND k.time > m.time - interval '10 minutes' AND k.time <= m.time AND $__timeFilter(k.time)
    ORDER BY k.time DESC LIMIT 1) n
WHERE d.site = ${site:sqlstring} AND d.kind = 'vms' AND {{range}} > interval '1 day 1 hour'
ORDER BY 1, 2

-- name: signs_faults
-- Signs with a fault or an open door now.
SELECT count(*) FILTER (WHERE cardinality(s.faults) > 0 OR s.door_open)::bigint AS faulty
FROM analytics.devices d
LEFT JOIN LATERAL (
    SELECT m.faults, m.door_open FROM analytics.sign_messages m
    WHERE m.device_id = d.device_id AND m.step = 'status' ORDER BY m.time DESC LIMIT 1) s ON true
WHERE d.site = ${site:sqlstring} AND d.kind = 'vms' AND d.active HAVING count(*) > 0
