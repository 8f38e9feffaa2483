-- What cameras could see, what they saw, and how well they agree with the loops beside them.
ALTER TABLE subak.camera_health ADD COLUMN grade text, ADD COLUMN reconnects integer, ADD COLUMN stalls integer;

-- One row a change; what is told again with every health report is one row all the same.
CREATE TABLE subak.camera_condition (
    device_id   integer NOT NULL,
    time        timestamptz NOT NULL,
    condition   text NOT NULL,
    detail      text NOT NULL,
    future      boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (device_id, time, condition)
);

-- Onset and end are a row each, so that an end that comes before its onset, or twice, does no harm.
CREATE TABLE subak.camera_event (
    device_id   integer NOT NULL,
    onset       timestamptz NOT NULL,
    kind        text NOT NULL,
    zone        text NOT NULL,
    ended       boolean NOT NULL,
    "end"       timestamptz,
    future      boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (device_id, onset, kind, zone, ended)
);
CREATE INDEX camera_event_onset ON subak.camera_event (onset);

CREATE TABLE subak.turning_count (
    device_id   integer NOT NULL,
    start       timestamptz NOT NULL,
    seq         bigint NOT NULL,
    period_ms   integer NOT NULL,
    entry       text NOT NULL,
    exit        text NOT NULL,
    sm          integer NOT NULL,
    mp          integer NOT NULL,
    ks          integer NOT NULL,
    bb          integer NOT NULL,
    tb          integer NOT NULL,
    ktb         integer NOT NULL,
    fault       text,
    future      boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (device_id, start, seq, entry, exit)
);

CREATE OR REPLACE VIEW analytics.camera_health AS
SELECT
    s.name AS site, d.name AS device, d.junction, h.time, h.seq, h.fps, h.brightness, h.sharpness, h.frozen, h.moved, h.covered,
    h.frame_bytes, h.received_at, h.device_id, h.grade, h.reconnects, h.stalls
FROM subak.camera_health h
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON COLUMN analytics.camera_health.grade IS 'excellent, fair, poor or unusable: frames a second, stalls and reconnects of the last hour.';
COMMENT ON COLUMN analytics.camera_health.reconnects IS 'Times the stream was opened again in the last hour.';
COMMENT ON COLUMN analytics.camera_health.stalls IS 'Times the stream stood still in the last hour.';

CREATE VIEW analytics.camera_conditions AS
SELECT
    s.name AS site, d.name AS device, d.junction, c.condition,
    CASE
        WHEN c.condition = 'ok' THEN 'good'
        WHEN c.condition IN ('covered', 'frozen', 'moved', 'lost') THEN 'missing'
        ELSE 'suspect'
    END AS quality,
    c.time AS onset, lead(c.time) OVER (PARTITION BY c.device_id ORDER BY c.time) AS "end", c.detail, c.device_id
FROM (
    SELECT
        device_id, time, condition, detail,
        condition IS DISTINCT FROM lag(condition) OVER (PARTITION BY device_id ORDER BY time, condition) AS changed
    FROM subak.camera_condition
    WHERE NOT future
) c
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id)
WHERE c.changed;
COMMENT ON VIEW analytics.camera_conditions IS 'What each camera could see, one condition at a time, as intervals.';
COMMENT ON COLUMN analytics.camera_conditions.condition IS 'ok, night, glare, low_contrast, blurred, low_fps, covered, frozen, moved or lost.';
COMMENT ON COLUMN analytics.camera_conditions.quality IS 'Worth of the counts made in it: good, suspect or missing.';
COMMENT ON COLUMN analytics.camera_conditions.onset IS 'Since when (UTC, the stream''s time).';
COMMENT ON COLUMN analytics.camera_conditions."end" IS 'NULL while it lasts (UTC).';
COMMENT ON COLUMN analytics.camera_conditions.detail IS 'Why, with the numbers it was seen by.';

CREATE VIEW analytics.camera_events AS
SELECT
    s.name AS site, d.name AS device, d.junction, e.kind, e.zone, e.onset, max(e."end") AS "end",
    extract(epoch FROM max(e."end") - e.onset)::double precision AS value, e.device_id
FROM subak.camera_event e
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id)
WHERE NOT e.future
GROUP BY s.name, d.name, d.junction, e.kind, e.zone, e.onset, e.device_id;
COMMENT ON VIEW analytics.camera_events IS 'What cameras saw happen: vehicles the wrong way, stopped vehicles, people on the carriageway.';
COMMENT ON COLUMN analytics.camera_events.kind IS 'wrong_way, stopped or person.';
COMMENT ON COLUMN analytics.camera_events."end" IS 'NULL while it lasts (UTC).';
COMMENT ON COLUMN analytics.camera_events.value IS 'How long it lasted (s); NULL while it lasts.';

CREATE VIEW analytics.turning_counts AS
SELECT
    s.name AS site, d.name AS device, d.junction, t.start, t.period_ms / 1000.0 AS period_s, t.entry, t.exit,
    t.sm + t.mp + t.ks + t.bb + t.tb + t.ktb AS volume, t.sm, t.mp, t.ks, t.bb, t.tb, t.ktb,
    CASE WHEN t.fault IS NULL THEN 'good' ELSE 'suspect(' || t.fault || ')' END AS quality, t.device_id
FROM subak.turning_count t
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id)
WHERE NOT t.future;
COMMENT ON VIEW analytics.turning_counts IS 'Vehicles that came in over one line of a camera and left over another, by period.';
COMMENT ON COLUMN analytics.turning_counts.entry IS 'Line of the camera over which they came.';
COMMENT ON COLUMN analytics.turning_counts.exit IS 'Line of the camera over which they left.';
COMMENT ON COLUMN analytics.turning_counts.volume IS 'Vehicles in the period (veh).';

CREATE FUNCTION subak.is_day(latitude double precision, longitude double precision, moment timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    -- Sun's elevation by Spencer's series (NOAA Global Monitoring Laboratory, General Solar Position Calculations); right to
    -- about a minute, which is what processors/daylight.py, by a longer series, is tested against.
    SELECT sind(latitude) * sin(d) + cosd(latitude) * cos(d) * cosd((m + e + 4 * longitude) / 4 - 180) >= sind(-0.833)
    FROM (
        SELECT
            m,
            229.18 * (0.000075 + 0.001868 * cos(g) - 0.032077 * sin(g) - 0.014615 * cos(2 * g) - 0.040849 * sin(2 * g)) AS e,
            0.006918 - 0.399912 * cos(g) + 0.070257 * sin(g) - 0.006758 * cos(2 * g) + 0.000907 * sin(2 * g)
                - 0.002697 * cos(3 * g) + 0.00148 * sin(3 * g) AS d
        FROM (
            SELECT
                extract(hour FROM u) * 60 + extract(minute FROM u)::double precision AS m,
                2 * pi() / 365 * (extract(doy FROM u) - 1 + (extract(hour FROM u) - 12) / 24)::double precision AS g
            FROM (SELECT moment AT TIME ZONE 'UTC' AS u) AS moments
        ) AS angles
    ) AS sun
$$;
COMMENT ON FUNCTION subak.is_day IS 'Whether the sun is up at a place and time, with a flat horizon.';
REVOKE EXECUTE ON FUNCTION subak.is_day FROM PUBLIC;
GRANT EXECUTE ON FUNCTION subak.is_day TO subak_writer, subak_reader, subak_analyst;

-- The cross-check reads rollups of 15 minutes alone: the same lane seen by a loop and by a camera.
CREATE VIEW analytics.lane_comparisons AS
SELECT
    l.site, l.junction, l.approach, l.lane, l.device AS loop_device, c.device AS camera_device, a.start, 900 AS period_s, v.class,
    v.loop_volume, v.camera_volume,
    CASE WHEN v.loop_volume > 0 THEN round(v.camera_volume::numeric / v.loop_volume, 3) END AS ratio,
    -- GEH of hourly flows (UK Highways Agency, DMRB vol. 12, section 2): below 5 is a good match.
    CASE
        WHEN v.loop_volume + v.camera_volume > 0
        THEN round(sqrt(2 * power(4.0 * (v.camera_volume - v.loop_volume), 2) / (4.0 * (v.camera_volume + v.loop_volume)))::numeric, 2)
        WHEN v.loop_volume IS NOT NULL AND v.camera_volume IS NOT NULL THEN 0
    END AS geh,
    CASE
        WHEN a.missing > 0 OR b.missing > 0 THEN 'partial'
        WHEN b.suspect > 0 OR a.suspect > 0 THEN 'suspect(minutes)'
        WHEN a.good = 15 AND b.good = 15 THEN 'good'
        ELSE 'partial'
    END AS quality,
    CASE WHEN subak.is_day(p.latitude, p.longitude, a.start + INTERVAL '450 seconds') THEN 'day' ELSE 'night' END AS daylight,
    l.lane_id AS loop_lane_id, c.lane_id AS camera_lane_id
FROM analytics.lanes l
JOIN analytics.lanes c ON c.site = l.site AND c.junction = l.junction AND c.lane = l.lane AND c.kind = 'cctv' AND c.active
JOIN analytics.devices p ON p.site = c.site AND p.kind = c.kind AND p.device = c.device
JOIN subak.lane_15min a ON a.lane_id = l.lane_id
JOIN subak.lane_15min b ON b.lane_id = c.lane_id AND b.start = a.start
CROSS JOIN LATERAL (VALUES
    ('all', a.volume, b.volume), ('sm', a.sm, b.sm), ('mp', a.mp, b.mp), ('ks', a.ks, b.ks), ('bb', a.bb, b.bb), ('tb', a.tb, b.tb),
    ('ktb', a.ktb, b.ktb)
) AS v (class, loop_volume, camera_volume)
WHERE l.kind = 'atc' AND l.active;
COMMENT ON VIEW analytics.lane_comparisons IS 'The same lane counted by a loop and by a camera, in 15 minutes, by class.';
COMMENT ON COLUMN analytics.lane_comparisons.class IS 'all, or a class of PKJI: sm, mp, ks, bb, tb, ktb.';
COMMENT ON COLUMN analytics.lane_comparisons.loop_volume IS 'Vehicles by the loop (veh); NULL when it does not classify or saw nothing valid.';
COMMENT ON COLUMN analytics.lane_comparisons.camera_volume IS 'Vehicles by the camera (veh); NULL when it saw nothing valid.';
COMMENT ON COLUMN analytics.lane_comparisons.ratio IS 'Camera over loop; NULL when the loop counted none.';
COMMENT ON COLUMN analytics.lane_comparisons.geh IS 'GEH statistic of the two hourly flows; below 5 is a good match (DMRB vol. 12).';
COMMENT ON COLUMN analytics.lane_comparisons.daylight IS 'day from sunrise to sunset at the camera, else night.';
COMMENT ON COLUMN analytics.lane_comparisons.quality IS 'good when both saw all 15 minutes; partial or suspect(minutes) otherwise.';
