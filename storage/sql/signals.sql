-- name: progress
-- How far each controller is measured.
SELECT device_id, subak.us(begun), subak.us(done_until), subak.us(redo_from), subak.us(redo_until) FROM subak.signal_progress

-- name: save_progress
-- How far they are measured now.
INSERT INTO subak.signal_progress
SELECT device_id, subak.at(begun_us), subak.at(done_us), subak.at(redo_from_us), subak.at(redo_until_us)
FROM unnest(%s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS u (device_id, begun_us, done_us, redo_from_us, redo_until_us)
ON CONFLICT (device_id) DO UPDATE SET
    begun = excluded.begun, done_until = excluded.done_until, redo_from = excluded.redo_from, redo_until = excluded.redo_until

-- name: events
-- Events of some spans, one row a controller, in their canonical order: times as PostgreSQL sends them (µs since 2000), codes and
-- parameters, each as big-endian integers in one string of bytes. The bounds over all spans let other partitions be left alone.
SELECT
    k.device_id,
    string_agg(timestamptz_send(e.time), ''::bytea ORDER BY e.time, e.seq, e.ordinal),
    string_agg(int4send(e.code), ''::bytea ORDER BY e.time, e.seq, e.ordinal),
    string_agg(int4send(e.parameter), ''::bytea ORDER BY e.time, e.seq, e.ordinal)
FROM unnest(%(devices)s::integer[], %(since)s::bigint[], %(until)s::bigint[]) AS k (device_id, since_us, until_us)
JOIN subak.signal_event e
    ON e.device_id = k.device_id AND e.time >= subak.at(k.since_us) AND e.time < subak.at(k.until_us)
    AND e.time >= subak.at(%(first)s) AND e.time < subak.at(%(last)s)
GROUP BY k.device_id

-- name: states
-- The last saved state of each controller at or before a time.
SELECT k.device_id, subak.us(s.segment), s.state
FROM unnest(%s::integer[], %s::bigint[]) AS k (device_id, at_us)
CROSS JOIN LATERAL (
    SELECT segment, state FROM subak.signal_state
    WHERE device_id = k.device_id AND segment <= subak.at(k.at_us)
    ORDER BY segment DESC LIMIT 1
) s

-- name: states_between
-- The saved states of one controller over a span, its end included.
SELECT subak.us(segment), state FROM subak.signal_state
WHERE device_id = %s AND segment > subak.at(%s) AND segment <= subak.at(%s)

-- name: save_states
-- What is remembered at the beginnings of quarters of an hour.
INSERT INTO subak.signal_state
SELECT device_id, subak.at(segment_us), state
FROM unnest(%s::integer[], %s::bigint[], %s::bytea[]) AS u (device_id, segment_us, state)
ON CONFLICT (device_id, segment) DO UPDATE SET state = excluded.state WHERE signal_state.state <> excluded.state

-- name: quantities
-- What was measured so far, by number.
SELECT quantity_id, measure, element, name, period_s FROM subak.signal_quantity

-- name: save_quantities
-- A number for each thing that is measured for the first time.
INSERT INTO subak.signal_quantity AS q (measure, element, name, period_s, unit, phase, detector)
SELECT measure, element, name, period_s, unit, phase, detector
FROM unnest(%s::text[], %s::text[], %s::text[], %s::double precision[], %s::text[], %s::integer[], %s::integer[])
    AS u (measure, element, name, period_s, unit, phase, detector)
ON CONFLICT (measure, element, name, period_s) DO UPDATE SET unit = excluded.unit
RETURNING quantity_id, measure, element, name, period_s

-- name: save_measures
-- What changes in a segment that was measured before gets a higher revision; what does not change is left alone.
INSERT INTO subak.signal_measure AS m
SELECT device_id, quantity_id, subak.at(start_us), value, quality, subak.at(segment_us), revision, now()
FROM unnest(%s::integer[], %s::integer[], %s::bigint[], %s::double precision[], %s::text[], %s::bigint[], %s::integer[])
    AS u (device_id, quantity_id, start_us, value, quality, segment_us, revision)
ON CONFLICT (device_id, quantity_id, start) DO UPDATE SET
    value = excluded.value,
    quality = excluded.quality,
    segment = excluded.segment,
    revision = m.revision + excluded.revision * ((m.value, m.quality) IS DISTINCT FROM (excluded.value, excluded.quality))::integer,
    revised_at = excluded.revised_at
WHERE (m.value, m.quality, m.segment) IS DISTINCT FROM (excluded.value, excluded.quality, excluded.segment)

-- name: drop_measures
-- Rows of a span that its events do not give any more.
DELETE FROM subak.signal_measure m
WHERE m.device_id = %s AND m.segment >= subak.at(%s) AND m.segment < subak.at(%s)
    AND NOT EXISTS (
        SELECT FROM unnest(%s::integer[], %s::bigint[]) AS u (quantity_id, start_us)
        WHERE u.quantity_id = m.quantity_id AND subak.at(u.start_us) = m.start
    )

-- name: save_cycles
-- As save_measures.
INSERT INTO subak.signal_cycle AS c
SELECT
    device_id, phase, subak.at(start_us), subak.at(green_us), subak.at(yellow_us), subak.at(end_us), programmed_s, termination,
    green_occupancy, red_occupancy, split_failure, arrivals, arrivals_on_green, delay_s, arrival_ms::integer[], arrival_detectors::integer[],
    quality, subak.at(segment_us), revision, now()
FROM unnest(
    %s::integer[], %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::double precision[], %s::text[],
    %s::double precision[], %s::double precision[], %s::boolean[], %s::integer[], %s::integer[], %s::double precision[], %s::text[],
    %s::text[], %s::text[], %s::bigint[], %s::integer[]
) AS u (
    device_id, phase, start_us, green_us, yellow_us, end_us, programmed_s, termination, green_occupancy, red_occupancy,
    split_failure, arrivals, arrivals_on_green, delay_s, arrival_ms, arrival_detectors, quality, segment_us, revision
)
ON CONFLICT (device_id, phase, start) DO UPDATE SET
    green = excluded.green, yellow = excluded.yellow, "end" = excluded."end", programmed_s = excluded.programmed_s,
    termination = excluded.termination, green_occupancy = excluded.green_occupancy, red_occupancy = excluded.red_occupancy,
    split_failure = excluded.split_failure, arrivals = excluded.arrivals, arrivals_on_green = excluded.arrivals_on_green,
    delay_s = excluded.delay_s, arrival_ms = excluded.arrival_ms, arrival_detectors = excluded.arrival_detectors, quality = excluded.quality,
    segment = excluded.segment,
    revision = c.revision + excluded.revision * ((
        c.green, c.yellow, c."end", c.programmed_s, c.termination, c.green_occupancy, c.red_occupancy, c.split_failure,
        c.arrivals, c.arrivals_on_green, c.delay_s, c.arrival_ms, c.arrival_detectors, c.quality
    ) IS DISTINCT FROM (
        excluded.green, excluded.yellow, excluded."end", excluded.programmed_s, excluded.termination, excluded.green_occupancy,
        excluded.red_occupancy, excluded.split_failure, excluded.arrivals, excluded.arrivals_on_green, excluded.delay_s, excluded.arrival_ms,
        excluded.arrival_detectors, excluded.quality
    ))::integer,
    revised_at = excluded.revised_at
WHERE (
    c.green, c.yellow, c."end", c.programmed_s, c.termination, c.green_occupancy, c.red_occupancy, c.split_failure,
    c.arrivals, c.arrivals_on_green, c.delay_s, c.arrival_ms, c.arrival_detectors, c.quality, c.segment
) IS DISTINCT FROM (
    excluded.green, excluded.yellow, excluded."end", excluded.programmed_s, excluded.termination, excluded.green_occupancy,
    excluded.red_occupancy, excluded.split_failure, excluded.arrivals, excluded.arrivals_on_green, excluded.delay_s, excluded.arrival_ms,
    excluded.arrival_detectors, excluded.quality, excluded.segment
)

-- name: drop_cycles
-- As drop_measures.
DELETE FROM subak.signal_cycle c
WHERE c.device_id = %s AND c.segment >= subak.at(%s) AND c.segment < subak.at(%s)
    AND NOT EXISTS (
        SELECT FROM unnest(%s::integer[], %s::bigint[]) AS u (phase, start_us)
        WHERE u.phase = c.phase AND subak.at(u.start_us) = c.start
    )

-- name: save_intervals
-- As save_measures.
INSERT INTO subak.signal_interval AS i
SELECT device_id, kind, element, subak.at(onset_us), subak.at(end_us), repaired, subak.at(segment_us), revision, now()
FROM unnest(%s::integer[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::boolean[], %s::bigint[], %s::integer[])
    AS u (device_id, kind, element, onset_us, end_us, repaired, segment_us, revision)
ON CONFLICT (device_id, kind, element, onset) DO UPDATE SET
    "end" = excluded."end", repaired = excluded.repaired, segment = excluded.segment,
    revision = i.revision + excluded.revision * ((i."end", i.repaired) IS DISTINCT FROM (excluded."end", excluded.repaired))::integer,
    revised_at = excluded.revised_at
WHERE (i."end", i.repaired, i.segment) IS DISTINCT FROM (excluded."end", excluded.repaired, excluded.segment)

-- name: drop_intervals
-- As drop_measures.
DELETE FROM subak.signal_interval i
WHERE i.device_id = %s AND i.segment >= subak.at(%s) AND i.segment < subak.at(%s)
    AND NOT EXISTS (
        SELECT FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS u (kind, element, onset_us)
        WHERE u.kind = i.kind AND u.element = i.element AND subak.at(u.onset_us) = i.onset
    )

-- name: measures_since
-- Stored measures of a controller whose segments begin at or after a time; in the order of storage.signals.measure_row, then names.
SELECT m.device_id, 0, subak.us(m.start), m.value, m.quality, q.measure, q.element, q.name, q.period_s
FROM subak.signal_measure m
JOIN subak.signal_quantity q USING (quantity_id)
WHERE m.device_id = %s AND m.segment >= subak.at(%s)

-- name: cycles_since
-- Stored cycles, in the order of storage.signals.cycle_row.
SELECT
    device_id, phase, subak.us(start), subak.us(green), subak.us(yellow), subak.us("end"), programmed_s, termination, green_occupancy,
    red_occupancy, split_failure, arrivals, arrivals_on_green, delay_s, arrival_ms::text, arrival_detectors::text, quality
FROM subak.signal_cycle
WHERE device_id = %s AND segment >= subak.at(%s)

-- name: intervals_since
-- Stored intervals, in the order of storage.signals.interval_row.
SELECT device_id, kind, element, subak.us(onset), subak.us("end"), repaired
FROM subak.signal_interval
WHERE device_id = %s AND segment >= subak.at(%s)

-- name: controllers
-- Controllers of a site: name and number.
SELECT d.name, d.device_id FROM subak.device d JOIN subak.site s USING (site_id) WHERE s.name = %s AND d.kind = 'atc'

-- name: last_event
-- The last event of a controller before a time.
SELECT subak.us(max("time")) FROM subak.signal_event WHERE device_id = %s AND "time" < subak.at(%s)

-- name: add_late
-- Events that a process stored which does not measure their controller: first and last.
INSERT INTO subak.signal_late (device_id, since, until)
SELECT device_id, subak.at(since_us), subak.at(until_us) FROM unnest(%s::integer[], %s::bigint[], %s::bigint[]) AS u (device_id, since_us, until_us)

-- name: take_late
-- All of them, once.
DELETE FROM subak.signal_late WHERE device_id = ANY(%s) RETURNING device_id, subak.us(since), subak.us(until)
