-- name: ensure_days
-- Partitions of yesterday, today and the next two days, so that no batch has to wait for one.
SELECT subak.ensure_day(day::date)
FROM generate_series((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 2, INTERVAL '1 day') AS day

-- name: drop_before
-- A series of chunks or partitions loses the whole ones that end before the edge.
SELECT subak.drop_before(%(series)s, now() - %(days)s * INTERVAL '1 day')

-- name: delete_sign_message
-- Of what is not in chunks, single rows.
WITH gone AS (
    DELETE FROM subak.sign_message WHERE time < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: delete_camera_condition
-- What a camera could see then.
WITH gone AS (
    DELETE FROM subak.camera_condition WHERE time < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: delete_camera_event
-- By onset.
WITH gone AS (
    DELETE FROM subak.camera_event WHERE onset < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: delete_turning_count
-- By begin of the period.
WITH gone AS (
    DELETE FROM subak.turning_count WHERE start < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: delete_ledger
-- By minute of arrival.
WITH gone AS (
    DELETE FROM subak.ledger WHERE minute < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: delete_alert
-- Those that are over; an open one stays however old it is.
WITH gone AS (
    DELETE FROM subak.alert WHERE "end" < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: late_days
-- Community: days whose rollups the policies do not refresh any more.
SELECT start FROM subak.late_day ORDER BY start

-- name: may_refresh
-- A continuous aggregate can be refreshed by its owner alone.
SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'subak.lane_15min'::regclass

-- name: refresh
-- Refresh one rollup over some days around a late one.
CALL refresh_continuous_aggregate(%s::text::regclass, %s::timestamptz - INTERVAL '1 day', %s::timestamptz + INTERVAL '2 days')

-- name: forget_late_day
-- It is refreshed.
DELETE FROM subak.late_day WHERE start = %s

-- name: delete_signal_measure
-- By begin of the period.
WITH gone AS (
    DELETE FROM subak.signal_measure WHERE start < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: delete_signal_cycle
-- By begin of red.
WITH gone AS (
    DELETE FROM subak.signal_cycle WHERE start < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: delete_signal_interval
-- By end.
WITH gone AS (
    DELETE FROM subak.signal_interval WHERE "end" < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone

-- name: thin_signal_states
-- All of two days, then the first of each UTC day as long as events are kept, and the last one of each controller in any case.
DELETE FROM subak.signal_state s
WHERE s.segment < now() - INTERVAL '2 days'
    AND (
        s.segment <> (
            SELECT min(f.segment) FROM subak.signal_state f
            WHERE f.device_id = s.device_id AND f.segment >= date_trunc('day', s.segment, 'UTC')
        )
        OR (%(days)s > 0 AND s.segment < now() - (%(days)s + 1) * INTERVAL '1 day')
    )
    AND EXISTS (SELECT FROM subak.signal_state n WHERE n.device_id = s.device_id AND n.segment > s.segment)

-- name: delete_pipeline_minute
-- By minute.
WITH gone AS (
    DELETE FROM subak.pipeline_minute WHERE minute < now() - %(days)s * INTERVAL '1 day' RETURNING 1
)
SELECT count(*) FROM gone
