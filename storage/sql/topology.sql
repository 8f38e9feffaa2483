-- name: lock_site
-- Programs that start together bring the topology up to the folder one after the other.
UPDATE subak.site SET latitude = %s, longitude = %s WHERE site_id = %s

-- name: clear_junction
-- What is in the folder is written anew.
DELETE FROM subak.junction WHERE site_id = %s

-- name: clear_approach
-- Likewise.
DELETE FROM subak.approach WHERE site_id = %s

-- name: clear_link
-- Likewise.
DELETE FROM subak.link WHERE site_id = %s

-- name: clear_corridor
-- Likewise.
DELETE FROM subak.corridor WHERE site_id = %s

-- name: clear_upstream_sign
-- Likewise.
DELETE FROM subak.upstream_sign WHERE site_id = %s

-- name: fill_junction
-- Rows as one JSON array of arrays.
INSERT INTO subak.junction (site_id, junction, name, latitude, longitude)
SELECT %s, r ->> 0, r ->> 1, (r ->> 2)::float, (r ->> 3)::float FROM jsonb_array_elements(%s::jsonb) AS r

-- name: fill_approach
-- As above.
INSERT INTO subak.approach (site_id, junction, approach, link, phase)
SELECT %s, r ->> 0, r ->> 1, r ->> 2, (r ->> 3)::smallint FROM jsonb_array_elements(%s::jsonb) AS r

-- name: fill_link
-- As above.
INSERT INTO subak.link (site_id, link, starts_at, ends_at, road, lanes, speed_limit_kmh, length_m, geometry)
SELECT %s, r ->> 0, r ->> 1, r ->> 2, r ->> 3, (r ->> 4)::smallint, (r ->> 5)::smallint, (r ->> 6)::float, r -> 7
FROM jsonb_array_elements(%s::jsonb) AS r

-- name: fill_corridor
-- As above.
INSERT INTO subak.corridor (site_id, corridor, title, link, position)
SELECT %s, r ->> 0, r ->> 1, r ->> 2, (r ->> 3)::smallint FROM jsonb_array_elements(%s::jsonb) AS r

-- name: fill_upstream_sign
-- As above, devices by number.
INSERT INTO subak.upstream_sign (site_id, junction, approach, device_id, distance_m, hops)
SELECT %s, r ->> 0, r ->> 1, (r ->> 2)::integer, (r ->> 3)::float, (r ->> 4)::smallint FROM jsonb_array_elements(%s::jsonb) AS r

-- name: save_signs
-- Where signs stand and what fits on them; of a sign that left the folder it stays.
INSERT INTO subak.sign AS g (device_id, link, columns, rows, pages)
SELECT (r ->> 0)::integer, r ->> 1, (r ->> 2)::smallint, (r ->> 3)::smallint, (r ->> 4)::smallint
FROM jsonb_array_elements(%s::jsonb) AS r
ON CONFLICT (device_id) DO UPDATE SET
    link = excluded.link, columns = excluded.columns, rows = excluded.rows, pages = excluded.pages
