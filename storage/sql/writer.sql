-- name: column_types
-- Types of a table's columns, in order: binary COPY converts nothing.
SELECT atttypid::integer FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum

-- name: stage_lane_reading
-- Session table that COPY fills; times as microseconds, in the order of ingest.readings.LaneReading.
CREATE TEMP TABLE IF NOT EXISTS stage_lane_reading (
    lane_id integer, start_us bigint, seq bigint, period_ms integer, volume integer, occupancy integer, speed integer,
    sm integer, mp integer, ks integer, bb integer, tb integer, ktb integer, fault text, future boolean, received_us bigint
) ON COMMIT DELETE ROWS

-- name: insert_lane_reading
-- What is known already stays as it is.
INSERT INTO subak.lane_reading
SELECT lane_id, subak.at(start_us), seq, period_ms, volume, occupancy, speed, sm, mp, ks, bb, tb, ktb, fault, future, subak.at(received_us)
FROM stage_lane_reading
ON CONFLICT DO NOTHING

-- name: keys_lane_reading
-- Which of the staged rows were new.
RETURNING lane_id, subak.us(start), seq

-- name: stage_signal_event
-- In the order of ingest.readings.SignalEvent.
CREATE TEMP TABLE IF NOT EXISTS stage_signal_event (
    device_id integer, time_us bigint, seq bigint, ordinal integer, code integer, parameter integer, future boolean, received_us bigint
) ON COMMIT DELETE ROWS

-- name: insert_signal_event
-- What is known already stays as it is.
INSERT INTO subak.signal_event
SELECT device_id, subak.at(time_us), seq, ordinal, code, parameter, future, subak.at(received_us)
FROM stage_signal_event
ON CONFLICT DO NOTHING

-- name: keys_signal_event
-- Which of the staged rows were new.
RETURNING device_id, subak.us(time), seq, ordinal

-- name: stage_sensor_reading
-- In the order of ingest.readings.SensorReading.
CREATE TEMP TABLE IF NOT EXISTS stage_sensor_reading (
    device_id integer, time_us bigint, seq bigint, metric_id integer, value double precision, future boolean, received_us bigint
) ON COMMIT DELETE ROWS

-- name: insert_sensor_reading
-- What is known already stays as it is.
INSERT INTO subak.sensor_reading
SELECT device_id, subak.at(time_us), seq, metric_id, value, future, subak.at(received_us)
FROM stage_sensor_reading
ON CONFLICT DO NOTHING

-- name: keys_sensor_reading
-- Which of the staged rows were new.
RETURNING device_id, subak.us(time), seq, metric_id

-- name: stage_camera_health
-- In the order of ingest.readings.CameraHealth.
CREATE TEMP TABLE IF NOT EXISTS stage_camera_health (
    device_id integer, time_us bigint, seq bigint, fps double precision, brightness double precision, sharpness double precision,
    frozen boolean, moved boolean, covered boolean, frame_bytes integer, future boolean, received_us bigint,
    grade text, reconnects integer, stalls integer, detail text, ongoing text[]
) ON COMMIT DELETE ROWS

-- name: insert_camera_health
-- What is known already stays as it is.
INSERT INTO subak.camera_health (
    device_id, time, seq, fps, brightness, sharpness, frozen, moved, covered, frame_bytes, future, received_at, grade, reconnects, stalls,
    detail, ongoing
)
SELECT
    device_id, subak.at(time_us), seq, fps, brightness, sharpness, frozen, moved, covered, frame_bytes, future, subak.at(received_us),
    grade, reconnects, stalls, detail, ongoing
FROM stage_camera_health
ON CONFLICT DO NOTHING

-- name: keys_camera_health
-- Which of the staged rows were new.
RETURNING device_id, subak.us(time), seq

-- name: stage_camera_condition
-- In the order of ingest.readings.CameraCondition.
CREATE TEMP TABLE IF NOT EXISTS stage_camera_condition (
    device_id integer, time_us bigint, condition text, detail text, future boolean, received_us bigint
) ON COMMIT DELETE ROWS

-- name: insert_camera_condition
-- Told again with every health report: what is known already stays as it is.
INSERT INTO subak.camera_condition (device_id, time, condition, detail, future, received_at)
SELECT device_id, subak.at(time_us), condition, detail, future, subak.at(received_us)
FROM stage_camera_condition
ON CONFLICT DO NOTHING

-- name: keys_camera_condition
-- Which of the staged rows were new.
RETURNING device_id, subak.us(time), condition

-- name: stage_camera_event
-- In the order of ingest.readings.CameraEvent.
CREATE TEMP TABLE IF NOT EXISTS stage_camera_event (
    device_id integer, time_us bigint, kind text, zone text, end_us bigint, future boolean, received_us bigint
) ON COMMIT DELETE ROWS

-- name: insert_camera_event
-- Onset and end are a row each; what is known already stays as it is.
INSERT INTO subak.camera_event (device_id, onset, kind, zone, ended, "end", future, received_at)
SELECT device_id, subak.at(time_us), kind, zone, end_us IS NOT NULL, subak.at(end_us), future, subak.at(received_us)
FROM stage_camera_event
ON CONFLICT DO NOTHING

-- name: keys_camera_event
-- Which of the staged rows were new.
RETURNING device_id, subak.us(onset), kind, zone, ended

-- name: stage_turning_count
-- In the order of ingest.readings.TurningCount.
CREATE TEMP TABLE IF NOT EXISTS stage_turning_count (
    device_id integer, time_us bigint, seq bigint, period_ms integer, entry text, exit text,
    sm integer, mp integer, ks integer, bb integer, tb integer, ktb integer, fault text, future boolean, received_us bigint
) ON COMMIT DELETE ROWS

-- name: insert_turning_count
-- What is known already stays as it is.
INSERT INTO subak.turning_count
SELECT
    device_id, subak.at(time_us), seq, period_ms, entry, exit, sm, mp, ks, bb, tb, ktb, fault, future, subak.at(received_us)
FROM stage_turning_count
ON CONFLICT DO NOTHING

-- name: keys_turning_count
-- Which of the staged rows were new.
RETURNING device_id, subak.us(start), seq, entry, exit

-- name: stage_sign_message
-- In the order of ingest.readings.SignMessage.
CREATE TEMP TABLE IF NOT EXISTS stage_sign_message (
    device_id integer, time_us bigint, seq bigint, step text, command text, multi text, crc integer, priority integer,
    lease_s double precision, source_mode text, outcome text, error text, brightness double precision, faults text[],
    door_open boolean, temperature_c double precision, future boolean, received_us bigint
) ON COMMIT DELETE ROWS

-- name: insert_sign_message
-- What is known already stays as it is.
INSERT INTO subak.sign_message
SELECT
    device_id, subak.at(time_us), seq, step, command, multi, crc, priority, lease_s, source_mode, outcome, error, brightness,
    faults, door_open, temperature_c, future, subak.at(received_us)
FROM stage_sign_message
ON CONFLICT DO NOTHING

-- name: keys_sign_message
-- Which of the staged rows were new.
RETURNING device_id, subak.us(time), seq, step

-- name: stage_lane_1min
-- In the order of processors.bins.LaneBin.
CREATE TEMP TABLE IF NOT EXISTS stage_lane_1min (
    lane_id integer, start_us bigint, readings integer, covered_ms integer, volume integer, occupancy_sum bigint, occupancy_ms bigint,
    speed_sum bigint, speed_volume integer, sm integer, mp integer, ks integer, bb integer, tb integer, ktb integer, quality text, final boolean
) ON COMMIT DELETE ROWS

-- name: upsert_lane_1min
-- A bin that changes after it was final gets a higher revision; one that does not change is left alone.
INSERT INTO subak.lane_1min AS b
SELECT
    lane_id, subak.at(start_us), readings, covered_ms, volume, occupancy_sum, occupancy_ms, speed_sum, speed_volume,
    sm, mp, ks, bb, tb, ktb, quality, final, 0, now()
FROM stage_lane_1min
ON CONFLICT (lane_id, start) DO UPDATE SET
    readings = excluded.readings,
    covered_ms = excluded.covered_ms,
    volume = excluded.volume,
    occupancy_sum = excluded.occupancy_sum,
    occupancy_ms = excluded.occupancy_ms,
    speed_sum = excluded.speed_sum,
    speed_volume = excluded.speed_volume,
    sm = excluded.sm,
    mp = excluded.mp,
    ks = excluded.ks,
    bb = excluded.bb,
    tb = excluded.tb,
    ktb = excluded.ktb,
    quality = excluded.quality,
    final = b.final OR excluded.final,
    revision = b.revision + b.final::integer,
    revised_at = excluded.revised_at
WHERE (
    b.readings, b.covered_ms, b.volume, b.occupancy_sum, b.occupancy_ms, b.speed_sum, b.speed_volume,
    b.sm, b.mp, b.ks, b.bb, b.tb, b.ktb, b.quality
) IS DISTINCT FROM (
    excluded.readings, excluded.covered_ms, excluded.volume, excluded.occupancy_sum, excluded.occupancy_ms, excluded.speed_sum,
    excluded.speed_volume, excluded.sm, excluded.mp, excluded.ks, excluded.bb, excluded.tb, excluded.ktb, excluded.quality
) OR (excluded.final AND NOT b.final)

-- name: rollup_lane_15min
-- The 15-minute bins that hold a minute of this batch, again from their final minutes. OFFSET 0: looked up minute
-- by minute, since the planner, which counts every partition there is, would rather read a year. The bounds are those of the batch, known
-- while it plans: without them each lookup would ask every chunk of a year whether it is the one.
INSERT INTO subak.lane_15min
SELECT
    b.lane_id, t.start, count(*),
    count(*) FILTER (WHERE b.quality = 'good'), count(*) FILTER (WHERE b.quality = 'partial'),
    count(*) FILTER (WHERE b.quality LIKE 'suspect%%'), count(*) FILTER (WHERE b.quality LIKE 'imputed%%'),
    count(*) FILTER (WHERE b.quality LIKE 'missing%%'),
    sum(b.covered_ms), sum(b.volume), sum(b.occupancy_sum)::bigint, sum(b.occupancy_ms)::bigint, sum(b.speed_sum)::bigint, sum(b.speed_volume),
    sum(b.sm), sum(b.mp), sum(b.ks), sum(b.bb), sum(b.tb), sum(b.ktb), sum(b.revision)
FROM (
    SELECT DISTINCT lane_id, subak.at(start_us - start_us %% 900000000) AS start FROM stage_lane_1min WHERE final
) t
CROSS JOIN LATERAL (
    SELECT * FROM subak.lane_1min m
    WHERE m.lane_id = t.lane_id AND m.start >= t.start AND m.start < t.start + INTERVAL '15 minutes' AND m.final
        AND m.start >= subak.at(%(since)s) AND m.start < subak.at(%(until)s)
    OFFSET 0
) b
GROUP BY b.lane_id, t.start
ON CONFLICT (lane_id, start) DO UPDATE SET
    minutes = excluded.minutes, good = excluded.good, partial = excluded.partial, suspect = excluded.suspect,
    imputed = excluded.imputed, missing = excluded.missing, covered_ms = excluded.covered_ms, volume = excluded.volume,
    occupancy_sum = excluded.occupancy_sum, occupancy_ms = excluded.occupancy_ms, speed_sum = excluded.speed_sum,
    speed_volume = excluded.speed_volume, sm = excluded.sm, mp = excluded.mp, ks = excluded.ks, bb = excluded.bb,
    tb = excluded.tb, ktb = excluded.ktb, revision = excluded.revision

-- name: rollup_lane_1h
-- The hours that hold a minute of this batch, from their quarters.
INSERT INTO subak.lane_1h
SELECT
    b.lane_id, t.start, sum(b.minutes), sum(b.good), sum(b.partial), sum(b.suspect), sum(b.imputed), sum(b.missing),
    sum(b.covered_ms), sum(b.volume), sum(b.occupancy_sum), sum(b.occupancy_ms), sum(b.speed_sum), sum(b.speed_volume),
    sum(b.sm), sum(b.mp), sum(b.ks), sum(b.bb), sum(b.tb), sum(b.ktb), sum(b.revision)
FROM (
    SELECT DISTINCT lane_id, subak.at(start_us - start_us %% 3600000000) AS start FROM stage_lane_1min WHERE final
) t
JOIN subak.lane_15min b ON b.lane_id = t.lane_id AND b.start >= t.start AND b.start < t.start + INTERVAL '1 hour'
GROUP BY b.lane_id, t.start
ON CONFLICT (lane_id, start) DO UPDATE SET
    minutes = excluded.minutes, good = excluded.good, partial = excluded.partial, suspect = excluded.suspect,
    imputed = excluded.imputed, missing = excluded.missing, covered_ms = excluded.covered_ms, volume = excluded.volume,
    occupancy_sum = excluded.occupancy_sum, occupancy_ms = excluded.occupancy_ms, speed_sum = excluded.speed_sum,
    speed_volume = excluded.speed_volume, sm = excluded.sm, mp = excluded.mp, ks = excluded.ks, bb = excluded.bb,
    tb = excluded.tb, ktb = excluded.ktb, revision = excluded.revision

-- name: rollup_lane_1d
-- The local days that hold a minute of this batch, from their hours.
INSERT INTO subak.lane_1d
SELECT
    b.lane_id, t.start, sum(b.minutes), sum(b.good), sum(b.partial), sum(b.suspect), sum(b.imputed), sum(b.missing),
    sum(b.covered_ms), sum(b.volume), sum(b.occupancy_sum), sum(b.occupancy_ms), sum(b.speed_sum), sum(b.speed_volume),
    sum(b.sm), sum(b.mp), sum(b.ks), sum(b.bb), sum(b.tb), sum(b.ktb), sum(b.revision)
FROM (
    SELECT DISTINCT lane_id, date_trunc('day', subak.at(start_us), %(timezone)s) AS start FROM stage_lane_1min WHERE final
) t
JOIN subak.lane_1h b ON b.lane_id = t.lane_id AND b.start >= t.start
    AND b.start < date_trunc('day', t.start + INTERVAL '36 hours', %(timezone)s)
GROUP BY b.lane_id, t.start
ON CONFLICT (lane_id, start) DO UPDATE SET
    minutes = excluded.minutes, good = excluded.good, partial = excluded.partial, suspect = excluded.suspect,
    imputed = excluded.imputed, missing = excluded.missing, covered_ms = excluded.covered_ms, volume = excluded.volume,
    occupancy_sum = excluded.occupancy_sum, occupancy_ms = excluded.occupancy_ms, speed_sum = excluded.speed_sum,
    speed_volume = excluded.speed_volume, sm = excluded.sm, mp = excluded.mp, ks = excluded.ks, bb = excluded.bb,
    tb = excluded.tb, ktb = excluded.ktb, revision = excluded.revision

-- name: mark_late_days
-- Community: days that the refresh policies have passed; maintenance refreshes them.
INSERT INTO subak.late_day
SELECT DISTINCT date_trunc('day', subak.at(start_us), %(timezone)s)
FROM stage_lane_1min
WHERE final AND subak.at(start_us) < now() - INTERVAL '2 days'
ON CONFLICT DO NOTHING

-- name: ensure_day
-- Partitions of a UTC day; nothing to do where chunks make themselves.
SELECT subak.ensure_day(%s)

-- name: insert_presence
-- A change of presence.
INSERT INTO subak.presence_change (device_id, received_at, state)
VALUES (%s, subak.at(%s), %s)
ON CONFLICT DO NOTHING

-- name: insert_dead_letter
-- Kept with its reason.
INSERT INTO subak.dead_letter (received_at, device_id, topic, payload, size, reason, detail, partial)
VALUES (subak.at(%s), %s, %s, %s, %s, %s, %s, %s)

-- name: add_ledger
-- Counts of this batch on top of what the minute has.
INSERT INTO subak.ledger AS g
SELECT device_id, subak.at(minute_us), received, stored, duplicate, rejected, late, lost, recovered, unkept, unkept_partial
FROM unnest(
    %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::bigint[]
) AS u (device_id, minute_us, received, stored, duplicate, rejected, late, lost, recovered, unkept, unkept_partial)
ON CONFLICT (device_id, minute) DO UPDATE SET
    received = g.received + excluded.received,
    stored = g.stored + excluded.stored,
    duplicate = g.duplicate + excluded.duplicate,
    rejected = g.rejected + excluded.rejected,
    late = g.late + excluded.late,
    lost = g.lost + excluded.lost,
    recovered = g.recovered + excluded.recovered,
    unkept = g.unkept + excluded.unkept,
    unkept_partial = g.unkept_partial + excluded.unkept_partial

-- name: add_pipeline_minute
-- How the pipeline kept up in minutes that are over; more than once where a process ended and the next began within one.
INSERT INTO subak.pipeline_minute AS p
SELECT
    writer, subak.at(minute_us), batches, messages, ack_delay_sum_ms, ack_delay_max_ms, transaction_sum_ms, transaction_max_ms, lag_max_ms
FROM unnest(
    %s::text[], %s::bigint[], %s::integer[], %s::bigint[], %s::bigint[], %s::integer[], %s::bigint[], %s::integer[], %s::bigint[]
) AS u (writer, minute_us, batches, messages, ack_delay_sum_ms, ack_delay_max_ms, transaction_sum_ms, transaction_max_ms, lag_max_ms)
ON CONFLICT (writer, minute) DO UPDATE SET
    batches = p.batches + excluded.batches, messages = p.messages + excluded.messages,
    ack_delay_sum_ms = p.ack_delay_sum_ms + excluded.ack_delay_sum_ms,
    ack_delay_max_ms = greatest(p.ack_delay_max_ms, excluded.ack_delay_max_ms),
    transaction_sum_ms = p.transaction_sum_ms + excluded.transaction_sum_ms,
    transaction_max_ms = greatest(p.transaction_max_ms, excluded.transaction_max_ms),
    lag_max_ms = greatest(p.lag_max_ms, excluded.lag_max_ms)

-- name: save_sequence
-- Where a stream stands.
INSERT INTO subak.sequence
SELECT device_id, stream, last_seq, subak.at(last_us), missing::int8range[]
FROM unnest(%s::integer[], %s::text[], %s::bigint[], %s::bigint[], %s::text[]) AS u (device_id, stream, last_seq, last_us, missing)
ON CONFLICT (device_id, stream) DO UPDATE SET
    last_seq = excluded.last_seq, last_time = excluded.last_time, missing = excluded.missing

-- name: save_feed
-- Up to where the bins of a device are final.
INSERT INTO subak.feed AS f
SELECT device_id, subak.at(closed_until_us) FROM unnest(%s::integer[], %s::bigint[]) AS u (device_id, closed_until_us)
ON CONFLICT (device_id) DO UPDATE SET closed_until = greatest(f.closed_until, excluded.closed_until)

-- name: save_device_state
-- When a device was heard, and what it said of itself.
INSERT INTO subak.device_state AS d
SELECT device_id, subak.at(received_us), subak.at(event_us), presence, subak.at(presence_us)
FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[])
    AS u (device_id, received_us, event_us, presence, presence_us)
ON CONFLICT (device_id) DO UPDATE SET
    last_received_at = greatest(d.last_received_at, excluded.last_received_at),
    last_event_at = greatest(d.last_event_at, excluded.last_event_at),
    presence = coalesce(excluded.presence, d.presence),
    presence_since = coalesce(excluded.presence_since, d.presence_since)

-- name: save_batch
-- The batch that this transaction is; nothing when another process of the same name has written since our last one.
INSERT INTO subak.writer AS w (writer, batch, process)
VALUES (%s, %s, %s)
ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, process = excluded.process WHERE w.batch = excluded.batch - 1

-- name: last_batch
-- The last batch that was committed.
SELECT batch, process FROM subak.writer WHERE writer = %s

-- name: touching
-- All readings of some lanes that touch some minutes: those that begin in it, and long ones that reach into it. The bounds of all of
-- them leave out other partitions while it is planned.
SELECT
    k.minute_us, r.lane_id, subak.us(r.start), r.seq, r.period_ms, r.volume, r.occupancy, r.speed,
    r.sm, r.mp, r.ks, r.bb, r.tb, r.ktb, r.fault, r.future, subak.us(r.received_at)
FROM unnest(%(lanes)s::integer[], %(minutes)s::bigint[]) AS k (lane_id, minute_us)
JOIN subak.lane_reading r
    ON r.lane_id = k.lane_id AND r.start >= subak.at(k.minute_us) AND r.start < subak.at(k.minute_us) + INTERVAL '1 minute'
    AND r.start >= subak.at(%(since)s) AND r.start < subak.at(%(until)s)
UNION ALL
SELECT
    k.minute_us, r.lane_id, subak.us(r.start), r.seq, r.period_ms, r.volume, r.occupancy, r.speed,
    r.sm, r.mp, r.ks, r.bb, r.tb, r.ktb, r.fault, r.future, subak.us(r.received_at)
FROM unnest(%(lanes)s::integer[], %(minutes)s::bigint[]) AS k (lane_id, minute_us)
JOIN subak.lane_reading r
    ON r.lane_id = k.lane_id AND r.period_ms > 60000
    AND r.start >= subak.at(k.minute_us) - INTERVAL '1 hour' AND r.start < subak.at(k.minute_us)
    AND r.start + r.period_ms * INTERVAL '1 millisecond' > subak.at(k.minute_us)
    AND r.start >= subak.at(%(since)s) AND r.start < subak.at(%(until)s)

-- name: reaching
-- By lane: the latest begin of a reading from some minute on, or end of one that reaches into it or begins later.
SELECT k.lane_id, subak.us(greatest(latest.start, long.until))
FROM unnest(%(lanes)s::integer[], %(minutes)s::bigint[]) AS k (lane_id, minute_us)
LEFT JOIN LATERAL (
    SELECT r.start FROM subak.lane_reading r
    WHERE r.lane_id = k.lane_id AND r.start >= subak.at(k.minute_us) AND r.start >= subak.at(%(since)s)
    ORDER BY r.start DESC
    LIMIT 1
) latest ON true
LEFT JOIN LATERAL (
    SELECT max(r.start + r.period_ms * INTERVAL '1 millisecond') AS until FROM subak.lane_reading r
    WHERE r.lane_id = k.lane_id AND r.period_ms > 60000 AND r.start >= subak.at(k.minute_us) - INTERVAL '1 hour'
        AND r.start >= subak.at(%(since)s)
) long ON true
WHERE latest.start IS NOT NULL OR long.until IS NOT NULL

-- name: feeds
-- Up to where bins are final.
SELECT device_id, subak.us(closed_until) FROM subak.feed

-- name: sequences
-- Where the sequences stand.
SELECT device_id, stream, last_seq, subak.us(last_time), missing FROM subak.sequence

-- name: presences
-- What devices last said of themselves.
SELECT device_id, presence FROM subak.device_state WHERE presence IS NOT NULL
