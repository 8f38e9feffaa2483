-- name: save_site
-- The site, by name.
INSERT INTO subak.site (name, title, timezone)
VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET title = excluded.title, timezone = excluded.timezone
RETURNING site_id

-- name: save_device
-- A device keeps its number for ever.
INSERT INTO subak.device AS d (site_id, kind, name, title, junction, latitude, longitude, period_ms, dialect, active)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, true)
ON CONFLICT (site_id, kind, name) DO UPDATE SET
    title = excluded.title, junction = excluded.junction, latitude = excluded.latitude, longitude = excluded.longitude,
    period_ms = excluded.period_ms, dialect = excluded.dialect, active = true
RETURNING device_id

-- name: save_lane
-- A lane keeps its number for ever.
INSERT INTO subak.lane AS l (device_id, code, junction, approach, link, lane, from_kerb, active)
VALUES (%s, %s, %s, %s, %s, %s, %s, true)
ON CONFLICT (device_id, code) DO UPDATE SET
    junction = excluded.junction, approach = excluded.approach, link = excluded.link, lane = excluded.lane,
    from_kerb = excluded.from_kerb, active = true
RETURNING lane_id

-- name: save_metric
-- A metric keeps its number for ever.
INSERT INTO subak.metric AS m (name, unit, title)
VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET unit = excluded.unit, title = excluded.title
RETURNING metric_id

-- name: retire_devices
-- What left the site folder stays in history and is no longer expected.
UPDATE subak.device SET active = false WHERE site_id = %s AND active AND NOT device_id = ANY (%s)

-- name: retire_lanes
-- Likewise lanes.
UPDATE subak.lane SET active = false
WHERE active AND device_id IN (SELECT device_id FROM subak.device WHERE site_id = %s) AND NOT lane_id = ANY (%s)
