-- The analysts' contract: stable names, units in comments, the same on every level.
CREATE VIEW analytics.devices AS
SELECT
    d.device_id, s.name AS site, d.kind, d.name AS device, d.title, d.junction, d.latitude, d.longitude,
    d.period_ms / 1000.0 AS period_s, d.active,
    t.presence, t.presence_since, t.last_received_at, t.last_event_at
FROM subak.device d
LEFT JOIN subak.site s USING (site_id)
LEFT JOIN subak.device_state t USING (device_id)
WHERE d.device_id > 0;
COMMENT ON VIEW analytics.devices IS 'Every device of the site with its presence and when it was last heard.';
COMMENT ON COLUMN analytics.devices.period_s IS 'Seconds between its reports; NULL when it reports on change.';
COMMENT ON COLUMN analytics.devices.presence IS 'online, offline (last will) or shutdown (on purpose); NULL when it never said.';
COMMENT ON COLUMN analytics.devices.last_received_at IS 'When any message of the device last arrived, good or bad (UTC).';
COMMENT ON COLUMN analytics.devices.last_event_at IS 'Latest field time of a stored message that was not dated in the future (UTC).';

CREATE VIEW analytics.lanes AS
SELECT l.lane_id, s.name AS site, d.kind, d.name AS device, l.code AS detector, l.junction, l.approach, l.link, l.lane, l.from_kerb, l.active
FROM subak.lane l
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.lanes IS 'What is counted: a lane as seen by one detector of a controller or one virtual lane of a camera.';
COMMENT ON COLUMN analytics.lanes.from_kerb IS '1 is the lane at the kerb.';

CREATE VIEW analytics.lane_readings AS
SELECT
    l.site, l.kind, l.device, l.detector, l.junction, l.approach, l.lane, l.lane_id,
    r.start, r.period_ms / 1000.0 AS period_s, r.seq,
    r.volume, r.occupancy / 100.0 AS occupancy, r.speed / 10.0 AS speed,
    r.sm, r.mp, r.ks, r.bb, r.tb, r.ktb, r.fault, r.future, r.received_at
FROM subak.lane_reading r
JOIN analytics.lanes l USING (lane_id);
COMMENT ON VIEW analytics.lane_readings IS 'Raw lane readings, as sent. 0 is an observation, NULL is none.';
COMMENT ON COLUMN analytics.lane_readings.volume IS 'Vehicles in the period (veh).';
COMMENT ON COLUMN analytics.lane_readings.occupancy IS 'Share of the period the detector was occupied (%).';
COMMENT ON COLUMN analytics.lane_readings.speed IS 'Mean speed of the counted vehicles (km/h).';
COMMENT ON COLUMN analytics.lane_readings.fault IS 'Why there is no valid observation: the device''s or NTCIP 1202''s word.';
COMMENT ON COLUMN analytics.lane_readings.future IS 'The device''s clock was ahead: the period ended after it arrived.';

CREATE VIEW analytics.lane_1min AS
SELECT
    l.site, l.kind, l.device, l.detector, l.junction, l.approach, l.lane, l.lane_id,
    b.start,
    b.volume::bigint AS volume,
    CASE WHEN b.covered_ms > 0 THEN round(b.volume * 3600000.0 / b.covered_ms) END::bigint AS flow,
    CASE WHEN b.occupancy_ms > 0 THEN round(b.occupancy_sum / (b.occupancy_ms * 100.0), 2) END AS occupancy,
    CASE WHEN b.speed_volume > 0 THEN round(b.speed_sum / (b.speed_volume * 10.0), 1) END AS speed,
    b.sm::bigint AS sm, b.mp::bigint AS mp, b.ks::bigint AS ks, b.bb::bigint AS bb, b.tb::bigint AS tb, b.ktb::bigint AS ktb,
    least(round(b.covered_ms / 60000.0, 3), 1) AS completeness,
    b.quality, b.final, b.revision::bigint AS revision, b.revised_at
FROM subak.lane_1min b
JOIN analytics.lanes l USING (lane_id);
COMMENT ON VIEW analytics.lane_1min IS 'Lane bins of 1 minute, aligned to the even clock.';
COMMENT ON COLUMN analytics.lane_1min.start IS 'Begin of the bin (UTC).';
COMMENT ON COLUMN analytics.lane_1min.volume IS 'Vehicles observed (veh); NULL when nothing valid was observed, never 0 for that.';
COMMENT ON COLUMN analytics.lane_1min.flow IS 'Volume over the observed time (veh/h).';
COMMENT ON COLUMN analytics.lane_1min.occupancy IS 'Time-weighted mean occupancy (%).';
COMMENT ON COLUMN analytics.lane_1min.speed IS 'Volume-weighted mean speed (km/h); NULL when no vehicle had a speed.';
COMMENT ON COLUMN analytics.lane_1min.sm IS 'Motorcycles (PKJI class SM); classes are NULL where the device does not classify.';
COMMENT ON COLUMN analytics.lane_1min.completeness IS 'Share of the bin with valid observation (0 to 1).';
COMMENT ON COLUMN analytics.lane_1min.quality IS 'good, partial, suspect(test), imputed(method) or missing(element); travels with every use of the row.';
COMMENT ON COLUMN analytics.lane_1min.revision IS 'How often the bin changed after it was final.';

COMMENT ON COLUMN analytics.lane_1min.final IS 'The watermark has passed the bin; before that it may be partial because it is not over.';

CREATE VIEW analytics.lane_15min AS
SELECT
    l.site, l.kind, l.device, l.detector, l.junction, l.approach, l.lane, l.lane_id,
    b.start,
    b.volume::bigint AS volume,
    CASE WHEN b.covered_ms > 0 THEN round(b.volume * 3600000.0 / b.covered_ms) END::bigint AS flow,
    CASE WHEN b.occupancy_ms > 0 THEN round(b.occupancy_sum / (b.occupancy_ms * 100.0), 2) END AS occupancy,
    CASE WHEN b.speed_volume > 0 THEN round(b.speed_sum / (b.speed_volume * 10.0), 1) END AS speed,
    b.sm::bigint AS sm, b.mp::bigint AS mp, b.ks::bigint AS ks, b.bb::bigint AS bb, b.tb::bigint AS tb, b.ktb::bigint AS ktb,
    least(round(b.covered_ms / 900000.0, 3), 1) AS completeness,
    CASE
        WHEN b.suspect > 0 THEN 'suspect(minutes)'
        WHEN b.imputed > 0 THEN 'imputed(minutes)'
        WHEN b.missing = b.minutes THEN 'missing(minutes)'
        WHEN b.good < 15 THEN 'partial'
        ELSE 'good'
    END AS quality,
    b.minutes, b.good, b.partial, b.suspect, b.imputed, b.missing, b.revision
FROM subak.lane_15min b
JOIN analytics.lanes l USING (lane_id);
COMMENT ON VIEW analytics.lane_15min IS 'Lane bins of 15 minutes, aligned to the even clock; sums of the final 1-minute bins in them.';
COMMENT ON COLUMN analytics.lane_15min.start IS 'Begin of the bin (UTC).';
COMMENT ON COLUMN analytics.lane_15min.volume IS 'Vehicles observed (veh); NULL when nothing valid was observed, never 0 for that.';
COMMENT ON COLUMN analytics.lane_15min.flow IS 'Volume over the observed time (veh/h).';
COMMENT ON COLUMN analytics.lane_15min.occupancy IS 'Time-weighted mean occupancy (%).';
COMMENT ON COLUMN analytics.lane_15min.speed IS 'Volume-weighted mean speed (km/h); NULL when no vehicle had a speed.';
COMMENT ON COLUMN analytics.lane_15min.sm IS 'Motorcycles (PKJI class SM); classes are NULL where the device does not classify.';
COMMENT ON COLUMN analytics.lane_15min.completeness IS 'Share of the bin with valid observation (0 to 1).';
COMMENT ON COLUMN analytics.lane_15min.quality IS 'good, partial, suspect(test), imputed(method) or missing(element); travels with every use of the row.';
COMMENT ON COLUMN analytics.lane_15min.revision IS 'Sum of the revisions of its minutes.';

CREATE VIEW analytics.lane_1h AS
SELECT
    l.site, l.kind, l.device, l.detector, l.junction, l.approach, l.lane, l.lane_id,
    b.start,
    b.volume::bigint AS volume,
    CASE WHEN b.covered_ms > 0 THEN round(b.volume * 3600000.0 / b.covered_ms) END::bigint AS flow,
    CASE WHEN b.occupancy_ms > 0 THEN round(b.occupancy_sum / (b.occupancy_ms * 100.0), 2) END AS occupancy,
    CASE WHEN b.speed_volume > 0 THEN round(b.speed_sum / (b.speed_volume * 10.0), 1) END AS speed,
    b.sm::bigint AS sm, b.mp::bigint AS mp, b.ks::bigint AS ks, b.bb::bigint AS bb, b.tb::bigint AS tb, b.ktb::bigint AS ktb,
    least(round(b.covered_ms / 3600000.0, 3), 1) AS completeness,
    CASE
        WHEN b.suspect > 0 THEN 'suspect(minutes)'
        WHEN b.imputed > 0 THEN 'imputed(minutes)'
        WHEN b.missing = b.minutes THEN 'missing(minutes)'
        WHEN b.good < 60 THEN 'partial'
        ELSE 'good'
    END AS quality,
    b.minutes, b.good, b.partial, b.suspect, b.imputed, b.missing, b.revision
FROM subak.lane_1h b
JOIN analytics.lanes l USING (lane_id);
COMMENT ON VIEW analytics.lane_1h IS 'Lane bins of 1 hour, aligned to the even clock; sums of the final 1-minute bins in them.';
COMMENT ON COLUMN analytics.lane_1h.start IS 'Begin of the bin (UTC).';
COMMENT ON COLUMN analytics.lane_1h.volume IS 'Vehicles observed (veh); NULL when nothing valid was observed, never 0 for that.';
COMMENT ON COLUMN analytics.lane_1h.flow IS 'Volume over the observed time (veh/h).';
COMMENT ON COLUMN analytics.lane_1h.occupancy IS 'Time-weighted mean occupancy (%).';
COMMENT ON COLUMN analytics.lane_1h.speed IS 'Volume-weighted mean speed (km/h); NULL when no vehicle had a speed.';
COMMENT ON COLUMN analytics.lane_1h.sm IS 'Motorcycles (PKJI class SM); classes are NULL where the device does not classify.';
COMMENT ON COLUMN analytics.lane_1h.completeness IS 'Share of the bin with valid observation (0 to 1).';
COMMENT ON COLUMN analytics.lane_1h.quality IS 'good, partial, suspect(test), imputed(method) or missing(element); travels with every use of the row.';
COMMENT ON COLUMN analytics.lane_1h.revision IS 'Sum of the revisions of its minutes.';

CREATE VIEW analytics.lane_1d AS
SELECT
    l.site, l.kind, l.device, l.detector, l.junction, l.approach, l.lane, l.lane_id,
    b.start,
    b.volume::bigint AS volume,
    CASE WHEN b.covered_ms > 0 THEN round(b.volume * 3600000.0 / b.covered_ms) END::bigint AS flow,
    CASE WHEN b.occupancy_ms > 0 THEN round(b.occupancy_sum / (b.occupancy_ms * 100.0), 2) END AS occupancy,
    CASE WHEN b.speed_volume > 0 THEN round(b.speed_sum / (b.speed_volume * 10.0), 1) END AS speed,
    b.sm::bigint AS sm, b.mp::bigint AS mp, b.ks::bigint AS ks, b.bb::bigint AS bb, b.tb::bigint AS tb, b.ktb::bigint AS ktb,
    least(round(b.covered_ms / 86400000.0, 3), 1) AS completeness,
    CASE
        WHEN b.suspect > 0 THEN 'suspect(minutes)'
        WHEN b.imputed > 0 THEN 'imputed(minutes)'
        WHEN b.missing = b.minutes THEN 'missing(minutes)'
        WHEN b.good < 1440 THEN 'partial'
        ELSE 'good'
    END AS quality,
    b.minutes, b.good, b.partial, b.suspect, b.imputed, b.missing, b.revision
FROM subak.lane_1d b
JOIN analytics.lanes l USING (lane_id);
COMMENT ON VIEW analytics.lane_1d IS 'Lane bins of 1 local day, aligned to the even clock of the site; sums of the final 1-minute bins in them.';
COMMENT ON COLUMN analytics.lane_1d.start IS 'Begin of the bin (UTC).';
COMMENT ON COLUMN analytics.lane_1d.volume IS 'Vehicles observed (veh); NULL when nothing valid was observed, never 0 for that.';
COMMENT ON COLUMN analytics.lane_1d.flow IS 'Volume over the observed time (veh/h).';
COMMENT ON COLUMN analytics.lane_1d.occupancy IS 'Time-weighted mean occupancy (%).';
COMMENT ON COLUMN analytics.lane_1d.speed IS 'Volume-weighted mean speed (km/h); NULL when no vehicle had a speed.';
COMMENT ON COLUMN analytics.lane_1d.sm IS 'Motorcycles (PKJI class SM); classes are NULL where the device does not classify.';
COMMENT ON COLUMN analytics.lane_1d.completeness IS 'Share of the bin with valid observation (0 to 1).';
COMMENT ON COLUMN analytics.lane_1d.quality IS 'good, partial, suspect(test), imputed(method) or missing(element); travels with every use of the row.';
COMMENT ON COLUMN analytics.lane_1d.revision IS 'Sum of the revisions of its minutes.';

CREATE VIEW analytics.signal_events AS
SELECT s.name AS site, d.name AS device, d.junction, e.time, e.code, e.parameter, e.seq, e.ordinal, e.future, e.received_at, e.device_id
FROM subak.signal_event e
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.signal_events IS 'Hi-res controller events (Indiana enumerations), 0.1 s.';
COMMENT ON COLUMN analytics.signal_events.parameter IS 'Phase, detector number or value, by code.';

CREATE VIEW analytics.sensor_readings AS
SELECT s.name AS site, d.kind, d.name AS device, r.time, m.name AS metric, r.value, m.unit, r.seq, r.future, r.received_at, r.device_id
FROM subak.sensor_reading r
JOIN subak.metric m USING (metric_id)
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.sensor_readings IS 'Metrics of network links, access points, applications and cabinets.';
COMMENT ON COLUMN analytics.sensor_readings.value IS 'In the unit of the column unit; NULL is no valid observation.';

CREATE VIEW analytics.camera_health AS
SELECT s.name AS site, d.name AS device, d.junction, h.time, h.seq, h.fps, h.brightness, h.sharpness, h.frozen, h.moved, h.covered, h.frame_bytes, h.received_at, h.device_id
FROM subak.camera_health h
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.camera_health IS 'What cameras say of themselves, and the arrival of frames; no pixel is stored.';
COMMENT ON COLUMN analytics.camera_health.fps IS 'Frames a second that arrived (1/s).';
COMMENT ON COLUMN analytics.camera_health.frame_bytes IS 'Size of an arrived frame (bytes); NULL on a health report.';

CREATE VIEW analytics.sign_messages AS
SELECT
    s.name AS site, d.name AS device, m.time, m.seq, m.step, m.command, m.multi, m.crc, m.priority, m.lease_s, m.source_mode,
    m.outcome, m.error, m.brightness, m.faults, m.door_open, m.temperature_c, m.received_at, m.device_id
FROM subak.sign_message m
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.sign_messages IS 'Commands seen on the wire, the signs'' results, and what they showed.';
COMMENT ON COLUMN analytics.sign_messages.step IS 'command, result or status.';
COMMENT ON COLUMN analytics.sign_messages.lease_s IS 'Seconds the command holds unless renewed.';

CREATE VIEW analytics.device_outages AS
SELECT
    s.name AS site, d.kind, d.name AS device, c.state, c.received_at AS onset,
    lead(c.received_at) OVER w AS "end",
    d.device_id
FROM (
    SELECT device_id, received_at, state, state IS DISTINCT FROM lag(state) OVER (PARTITION BY device_id ORDER BY received_at) AS changed
    FROM subak.presence_change
) c
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id)
WHERE c.changed
WINDOW w AS (PARTITION BY c.device_id ORDER BY c.received_at);
COMMENT ON VIEW analytics.device_outages IS 'Presence of devices as intervals; outages are those with state offline or shutdown.';
COMMENT ON COLUMN analytics.device_outages."end" IS 'NULL while it lasts (UTC).';

CREATE VIEW analytics.dead_letters AS
SELECT
    s.name AS site, d.kind, d.name AS device, x.received_at, x.topic, x.reason, x.detail, x.partial, x.size, x.payload,
    x.dead_letter_id, x.device_id
FROM subak.dead_letter x
JOIN subak.device d USING (device_id)
LEFT JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.dead_letters IS 'Messages, or parts of them, that could not become facts, with the reason.';
COMMENT ON COLUMN analytics.dead_letters.partial IS 'The rest of the message was stored; the ledger counts the message as stored.';
COMMENT ON COLUMN analytics.dead_letters.size IS 'Bytes of the whole payload; at most 1 MiB of it is kept.';

CREATE VIEW analytics.ledger AS
SELECT
    s.name AS site, d.kind, d.name AS device, g.minute, g.received, g.stored, g.duplicate, g.rejected, g.late, g.lost, g.recovered,
    g.unkept, g.unkept_partial,
    g.received = g.stored + g.duplicate + g.rejected AS balanced, g.device_id
FROM subak.ledger g
JOIN subak.device d USING (device_id)
LEFT JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.ledger IS 'Messages per source and minute of arrival: received = stored + duplicate + rejected.';
COMMENT ON COLUMN analytics.ledger.late IS 'Of the stored: messages whose bin was final already.';
COMMENT ON COLUMN analytics.ledger.lost IS 'Messages that the sequence numbers show were sent and had not arrived: lost upstream.';
COMMENT ON COLUMN analytics.ledger.unkept IS 'Of the rejected: messages beyond the device''s budget, of which no dead letter was kept.';
COMMENT ON COLUMN analytics.ledger.unkept_partial IS 'Dead letters of parts of messages beyond the budget, not kept.';
COMMENT ON COLUMN analytics.ledger.recovered IS 'Messages counted as lost earlier that arrived after all; lost - recovered is missing for good.';
