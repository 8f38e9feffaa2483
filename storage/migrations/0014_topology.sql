-- What lies where and before what: written from the site folder, so that dashboards and rules can join it.
ALTER TABLE subak.site ADD COLUMN latitude double precision;
ALTER TABLE subak.site ADD COLUMN longitude double precision;

CREATE TABLE subak.junction (
    site_id   smallint NOT NULL REFERENCES subak.site,
    junction  text NOT NULL,
    name      text NOT NULL,
    latitude  double precision NOT NULL,
    longitude double precision NOT NULL,
    PRIMARY KEY (site_id, junction)
);

CREATE TABLE subak.approach (
    site_id  smallint NOT NULL REFERENCES subak.site,
    junction text NOT NULL,
    approach text NOT NULL,
    link     text NOT NULL,
    phase    smallint NOT NULL,
    PRIMARY KEY (site_id, junction, approach)
);

CREATE TABLE subak.link (
    site_id         smallint NOT NULL REFERENCES subak.site,
    link            text NOT NULL,
    starts_at       text NOT NULL,
    ends_at         text NOT NULL,
    road            text NOT NULL,
    lanes           smallint NOT NULL,
    speed_limit_kmh smallint NOT NULL,
    length_m        double precision NOT NULL,
    geometry        jsonb NOT NULL,
    PRIMARY KEY (site_id, link)
);

-- A link belongs to one corridor at most.
CREATE TABLE subak.corridor (
    site_id  smallint NOT NULL REFERENCES subak.site,
    corridor text NOT NULL,
    title    text NOT NULL,
    link     text NOT NULL,
    position smallint NOT NULL,
    PRIMARY KEY (site_id, link)
);

CREATE TABLE subak.sign (
    device_id integer PRIMARY KEY REFERENCES subak.device,
    link      text NOT NULL,
    columns   smallint NOT NULL,
    rows      smallint NOT NULL,
    pages     smallint NOT NULL
);

CREATE TABLE subak.upstream_sign (
    site_id    smallint NOT NULL REFERENCES subak.site,
    junction   text NOT NULL,
    approach   text NOT NULL,
    device_id  integer NOT NULL REFERENCES subak.device,
    distance_m double precision NOT NULL,
    hops       smallint NOT NULL,
    PRIMARY KEY (site_id, junction, approach, device_id)
);

-- A day of a lane as it usually is: remade once a day by maintenance, since percentiles of weeks are nothing for a chart to wait for.
CREATE TABLE subak.lane_usual (
    lane_id          integer NOT NULL REFERENCES subak.lane,
    weekday          smallint NOT NULL,
    slot             time NOT NULL,
    samples          integer NOT NULL,
    volume_median    double precision,
    speed_median     double precision,
    speed_p15        double precision,
    occupancy_median double precision,
    PRIMARY KEY (lane_id, weekday, slot)
);

CREATE TABLE subak.lane_usual_made (
    made_on date PRIMARY KEY
);

CREATE VIEW analytics.sites AS
SELECT name AS site, title, timezone, latitude, longitude FROM subak.site;
COMMENT ON VIEW analytics.sites IS 'The sites of this database.';
COMMENT ON COLUMN analytics.sites.latitude IS 'Where its map opens (WGS 84 degrees).';

CREATE VIEW analytics.junctions AS
SELECT s.name AS site, j.junction, j.name, j.latitude, j.longitude
FROM subak.junction j
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.junctions IS 'Signalised junctions.';
COMMENT ON COLUMN analytics.junctions.latitude IS 'WGS 84 degrees.';

CREATE VIEW analytics.approaches AS
SELECT s.name AS site, a.junction, a.approach, a.link, a.phase::integer AS phase, c.corridor
FROM subak.approach a
JOIN subak.site s USING (site_id)
LEFT JOIN subak.corridor c ON c.site_id = a.site_id AND c.link = a.link;
COMMENT ON VIEW analytics.approaches IS 'Arms of junctions, towards them.';
COMMENT ON COLUMN analytics.approaches.phase IS 'Signal phase that serves it (NEMA numbering).';

CREATE VIEW analytics.links AS
SELECT
    s.name AS site, l.link, l.starts_at AS start, l.ends_at AS "end", l.road, l.lanes::integer AS lanes,
    l.speed_limit_kmh::integer AS speed_limit_kmh, l.length_m, c.corridor, l.geometry
FROM subak.link l
JOIN subak.site s USING (site_id)
LEFT JOIN subak.corridor c ON c.site_id = l.site_id AND c.link = l.link;
COMMENT ON VIEW analytics.links IS 'Road links, one a direction.';
COMMENT ON COLUMN analytics.links.length_m IS 'Along its line (m).';
COMMENT ON COLUMN analytics.links.geometry IS 'Its line from start to end: [[latitude, longitude], …] (WGS 84 degrees).';

CREATE VIEW analytics.corridors AS
SELECT s.name AS site, c.corridor, c.title, c.link, c.position::integer AS position
FROM subak.corridor c
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.corridors IS 'Chains of links as drivers travel them, one row a link.';
COMMENT ON COLUMN analytics.corridors.position IS '1 is the first link that is driven.';

CREATE VIEW analytics.signs AS
SELECT
    s.name AS site, d.name AS device, d.title AS name, g.link, d.latitude, d.longitude,
    g.columns::integer AS columns, g.rows::integer AS rows, g.pages::integer AS pages, d.active, d.device_id
FROM subak.sign g
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.signs IS 'Variable message signs, and what fits on them.';
COMMENT ON COLUMN analytics.signs.columns IS 'Characters a line.';
COMMENT ON COLUMN analytics.signs.rows IS 'Lines a page.';
COMMENT ON COLUMN analytics.signs.pages IS 'Pages a message at most.';

CREATE VIEW analytics.upstream_signs AS
SELECT s.name AS site, u.junction, u.approach, d.name AS device, u.distance_m, u.hops::integer AS hops, u.device_id
FROM subak.upstream_sign u
JOIN subak.device d USING (device_id)
JOIN subak.site s ON s.site_id = u.site_id
WHERE d.active;
COMMENT ON VIEW analytics.upstream_signs IS 'Signs that drivers pass before they reach the stop line of an approach.';
COMMENT ON COLUMN analytics.upstream_signs.distance_m IS 'Along the road from the sign to the stop line (m).';
COMMENT ON COLUMN analytics.upstream_signs.hops IS 'Junctions between them; 0 when the sign stands on the approach''s own link.';

CREATE VIEW analytics.lane_usual AS
SELECT
    l.site, u.lane_id, l.device, l.junction, l.approach, l.lane, u.weekday::integer AS weekday, u.slot, u.samples,
    u.volume_median, u.speed_median AS speed_median_kmh, u.speed_p15 AS speed_p15_kmh, u.occupancy_median AS occupancy_median_pct
FROM subak.lane_usual u
JOIN analytics.lanes l USING (lane_id);
COMMENT ON VIEW analytics.lane_usual IS 'What a lane usually does in a quarter of an hour of a weekday, from the weeks before today; remade daily.';
COMMENT ON COLUMN analytics.lane_usual.weekday IS '1 is Monday, 7 is Sunday (ISO), in the site''s time.';
COMMENT ON COLUMN analytics.lane_usual.slot IS 'Begin of the 15 minutes in the site''s time of day.';
COMMENT ON COLUMN analytics.lane_usual.samples IS 'Bins that were good enough to count.';
COMMENT ON COLUMN analytics.lane_usual.volume_median IS 'Median volume of 15 minutes (veh).';
COMMENT ON COLUMN analytics.lane_usual.speed_median_kmh IS 'Median of the mean speeds (km/h).';
COMMENT ON COLUMN analytics.lane_usual.speed_p15_kmh IS '15th percentile of the mean speeds (km/h).';
COMMENT ON COLUMN analytics.lane_usual.occupancy_median_pct IS 'Median occupancy (%).';

CREATE OR REPLACE VIEW analytics.devices AS
SELECT
    d.device_id, s.name AS site, d.kind, d.name AS device, d.title, d.junction, d.latitude, d.longitude,
    d.period_ms / 1000.0 AS period_s, d.active,
    t.presence, t.presence_since, t.last_received_at, t.last_event_at, f.closed_until
FROM subak.device d
LEFT JOIN subak.site s USING (site_id)
LEFT JOIN subak.device_state t USING (device_id)
LEFT JOIN subak.feed f USING (device_id)
WHERE d.device_id > 0;
COMMENT ON COLUMN analytics.devices.closed_until IS 'Up to where its lane bins are final (UTC); NULL when it counts nothing.';
