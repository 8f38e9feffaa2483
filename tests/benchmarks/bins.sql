-- name: widen_devices
-- Copies of the site's controllers and cameras at junctions of their own: a city of the same kind, and larger.
INSERT INTO subak.device (site_id, kind, name, title, junction, latitude, longitude, period_ms, dialect)
SELECT site_id, kind, name || '-' || %(copy)s, title || ' ' || %(copy)s, junction || '-' || %(copy)s, latitude, longitude, period_ms, dialect
FROM subak.device
WHERE kind IN ('atc', 'cctv') AND active AND junction IN (SELECT junction FROM subak.junction WHERE junction !~ '-[0-9]+$')

-- name: widen_lanes
-- Their lanes.
INSERT INTO subak.lane (device_id, code, junction, approach, link, lane, from_kerb)
SELECT c.device_id, l.code, c.junction, l.approach, l.link || '-' || %(copy)s, l.lane, l.from_kerb
FROM subak.lane l
JOIN subak.device d USING (device_id)
JOIN subak.device c ON c.site_id = d.site_id AND c.kind = d.kind AND c.name = d.name || '-' || %(copy)s

-- name: widen_junctions
-- Where they stand.
INSERT INTO subak.junction
SELECT site_id, junction || '-' || %(copy)s, name || ' ' || %(copy)s, latitude, longitude FROM subak.junction WHERE junction !~ '-[0-9]+$'

-- name: widen_links
-- The links that arrive there.
INSERT INTO subak.link
SELECT site_id, link || '-' || %(copy)s, starts_at, ends_at, road, lanes, speed_limit_kmh, length_m, geometry
FROM subak.link WHERE link !~ '-[0-9]+$'

-- name: widen_approaches
-- And what they are there.
INSERT INTO subak.approach
SELECT site_id, junction || '-' || %(copy)s, approach, link || '-' || %(copy)s, phase FROM subak.approach WHERE junction !~ '-[0-9]+$'

-- name: lane_nature
-- What is a lane's own: how busy, how fast, how many motorcycles.
CREATE TEMP TABLE lane_nature AS
SELECT lane_id, device_id, 6 + (h & 7) AS busy, 380 + ((h >> 8) & 127) AS free_speed, 50 + ((h >> 16) & 31) AS motorcycles
FROM (SELECT lane_id, device_id, hashint8extended(lane_id, 1) AS h FROM subak.lane WHERE active) l

-- name: day_nature
-- How busy each minute of a local day is: two peaks, a quiet night, weekends flatter.
CREATE TEMP TABLE day_nature AS
SELECT weekend, minute, (CASE WHEN weekend
    THEN 0.10 + 0.75 * exp(-power((minute - 870) / 260.0, 2))
    ELSE 0.08 + 0.8 * exp(-power((minute - 465) / 75.0, 2)) + 0.9 * exp(-power((minute - 1050) / 100.0, 2))
        + 0.45 * exp(-power((minute - 780) / 220.0, 2)) END)::real AS busy
FROM generate_series(0, 1439) AS minute, (VALUES (false), (true)) AS w (weekend)

-- name: stage
-- What the pipeline's statements for rollups look at: here one row for each lane and quarter of an hour.
CREATE TEMP TABLE stage_lane_1min (lane_id integer, start_us bigint, final boolean)

-- name: bins
-- The minutes from one moment to another, within one UTC day, in the order in which they arrive; the same numbers every time.
-- A lane is now and then missing for hours, a device for a whole day (then there are no rows), a minute partial, suspect or revised.
INSERT INTO subak.lane_1min
SELECT
    lane_id, start, CASE state WHEN 2 THEN 0 WHEN 1 THEN 5 ELSE 6 END, CASE state WHEN 2 THEN 0 WHEN 1 THEN 50000 ELSE 60000 END,
    volume, CASE WHEN state = 2 THEN 0 ELSE least(volume * 190, 9500)::bigint * 60000 END, CASE WHEN state = 2 THEN 0 ELSE 60000 END,
    coalesce(volume * speed, 0), coalesce(volume, 0), sm, volume - sm - ks - bb, ks, bb, volume * 0, volume * 0,
    CASE state WHEN 0 THEN 'good' WHEN 1 THEN 'partial' WHEN 2 THEN 'missing(detector:open_loop)' ELSE 'suspect(occupancy)' END,
    true, CASE WHEN (h >> 45) & 511 = 0 THEN 1 ELSE 0 END, start + INTERVAL '71 seconds'
FROM (
    SELECT
        lane_id, start, state, h, volume, free_speed - (busy * busy * 190)::integer - ((h >> 6) & 31)::integer AS speed,
        volume * motorcycles / 100 AS sm, CASE WHEN volume > 3 AND (h >> 20) & 31 = 0 THEN 1 ELSE 0 END + volume * 0 AS ks,
        CASE WHEN volume > 5 AND (h >> 25) & 63 = 0 THEN 1 ELSE 0 END + volume * 0 AS bb
    FROM (
        SELECT
            lane_id, start, h, free_speed, motorcycles, day_busy AS busy,
            CASE WHEN state = 2 THEN NULL ELSE (lane_busy * day_busy * (0.6 + (h & 1023) / 1280.0) + ((h >> 10) & 1023) / 1024.0)::integer END AS volume,
            state
        FROM (
            SELECT
                l.lane_id, l.busy AS lane_busy, l.free_speed, l.motorcycles, m.start, m.busy AS day_busy,
                hashint8extended(l.lane_id * 100000000::bigint + m.number, 2) AS h,
                CASE
                    WHEN m.minute >= l.broken AND m.minute < l.broken + l.broken_for THEN 2
                    WHEN hashint4(l.lane_id * 7919 + m.number) %% 97 = 0 THEN 1
                    WHEN hashint4(l.lane_id * 7919 + m.number) %% 397 = 1 THEN 3
                    ELSE 0
                END AS state
            FROM (
                SELECT t.start, n.busy, t.number, t.number %% 1440 AS minute
                FROM (
                    SELECT s AS start, (extract(epoch FROM s) / 60)::integer AS number, s AT TIME ZONE %(timezone)s AS here
                    FROM generate_series(%(since)s::timestamptz, %(until)s::timestamptz - INTERVAL '1 minute', INTERVAL '1 minute') AS s
                ) t
                JOIN day_nature n
                    ON n.weekend = (extract(isodow FROM t.here) > 5)
                    AND n.minute = extract(hour FROM t.here) * 60 + extract(minute FROM t.here)
                ORDER BY t.start
            ) m
            CROSS JOIN LATERAL (
                SELECT
                    o.*, CASE WHEN (o.day >> 8) & 31 = 0 THEN ((o.day >> 13) & 1023)::integer ELSE 9999 END AS broken,
                    (20 + ((o.day >> 23) & 255))::integer AS broken_for
                FROM (
                    SELECT k.*, hashint8extended(k.lane_id * 100000::bigint + m.number / 1440, 3) AS day,
                        hashint8extended(k.device_id * 100000::bigint + m.number / 1440, 4) AS device_day
                    FROM lane_nature k
                    OFFSET 0
                ) o
                WHERE o.device_day & 255 <> 0
            ) l
            OFFSET 0
        ) a
        OFFSET 0
    ) b
    OFFSET 0
) c

-- name: clear_stage
-- Of the span before.
TRUNCATE stage_lane_1min

-- name: stage_quarters
-- The quarters of an hour that a span touches.
INSERT INTO stage_lane_1min
SELECT lane_id, subak.us(q), true
FROM subak.lane, generate_series(date_bin('15 minutes', %(since)s::timestamptz, 'epoch'), %(until)s::timestamptz - INTERVAL '1 minute', INTERVAL '15 minutes') AS q
WHERE active

-- name: ledger
-- A row for each device with lanes and minute of arrival, now and then something double, refused, lost or late; its hours follow.
INSERT INTO subak.ledger
SELECT
    d.device_id, m, 6, 6 - (h & 127 = 0)::integer - ((h >> 7) & 511 = 0)::integer, (h & 127 = 0)::integer, ((h >> 7) & 511 = 0)::integer,
    ((h >> 16) & 255 = 0)::integer, ((h >> 24) & 511 = 0)::integer, ((h >> 33) & 1023 = 0)::integer, 0, 0
FROM generate_series(%(since)s::timestamptz, %(until)s::timestamptz - INTERVAL '1 minute', INTERVAL '1 minute') AS m
CROSS JOIN (SELECT device_id FROM subak.device WHERE device_id > 0 AND active ORDER BY device_id) d
CROSS JOIN LATERAL (SELECT hashint8extended(d.device_id * 100000000::bigint + (extract(epoch FROM m) / 60)::integer, 5) AS h) r

-- name: newest
-- The end of what there is.
SELECT max(start) + INTERVAL '1 minute' FROM subak.lane_1min WHERE start > %(after)s::timestamptz

-- name: heard
-- Every device was heard just now.
INSERT INTO subak.device_state
SELECT device_id, now(), now(), 'online', now() - INTERVAL '3 days' FROM subak.device WHERE device_id > 0
ON CONFLICT (device_id) DO UPDATE SET last_received_at = excluded.last_received_at, last_event_at = excluded.last_event_at

-- name: begun
-- How many bins there are, and the end of them.
SELECT count(*), max(start) + INTERVAL '1 minute' FROM subak.lane_1min
