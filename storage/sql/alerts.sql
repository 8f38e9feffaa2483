-- name: take_turn
-- One tracker of a scope at a time; held to the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('subak.alert ' || %(site)s || ' ' || %(scope)s, 0))

-- name: site_number
-- The site, by name.
SELECT site_id FROM subak.site WHERE name = %s

-- name: known
-- Alerts of a scope that are open, or that began no longer than so long ago.
SELECT
    alert_id, rule, device_id, element, audience, severity, subak.us(onset), subak.us("end"), subak.us(clear_since), value, threshold, detail,
    subak.us(announced_at), suppressed
FROM subak.alert
WHERE site_id = %(site_id)s AND starts_with(rule, %(scope)s || ':') AND ("end" IS NULL OR onset >= subak.at(%(since_us)s))
ORDER BY onset, alert_id

-- name: announced
-- When each fault of a scope was announced last.
SELECT rule, device_id, element, subak.us(max(announced_at))
FROM subak.alert
WHERE site_id = %(site_id)s AND starts_with(rule, %(scope)s || ':') AND announced_at >= subak.at(%(since_us)s)
GROUP BY rule, device_id, element

-- name: open
-- A fault begins.
INSERT INTO subak.alert (
    site_id, rule, device_id, element, audience, severity, onset, "end", clear_since, value, threshold, detail, announced_at, suppressed
)
VALUES (%s, %s, %s, %s, %s, %s, subak.at(%s), subak.at(%s), subak.at(%s), %s, %s, %s, subak.at(%s), %s)
ON CONFLICT DO NOTHING

-- name: update
-- A fault goes on, changes or ends.
UPDATE subak.alert
SET "end" = subak.at(%s), clear_since = subak.at(%s), severity = %s, value = %s, threshold = %s, detail = %s, announced_at = subak.at(%s), suppressed = %s
WHERE alert_id = %s

-- name: open_rows
-- What is wrong now.
SELECT rule, coalesce(device, ''), element, severity, onset, value, threshold, detail, suppressed
FROM analytics.alerts
WHERE site = %(site)s AND starts_with(rule, %(scope)s || ':') AND "end" IS NULL
ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity), onset
