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

-- name: delete_dead_letter
-- By time of arrival. The ledger counts them as not kept from then on, so that it still agrees with what is there.
WITH gone AS (
    DELETE FROM subak.dead_letter WHERE received_at < now() - %(days)s * INTERVAL '1 day' RETURNING device_id, received_at, partial
),
counted AS (
    UPDATE subak.ledger g
    SET unkept = g.unkept + t.whole, unkept_partial = g.unkept_partial + t.parts
    FROM (
        SELECT
            device_id, date_trunc('minute', received_at, 'UTC') AS minute,
            count(*) FILTER (WHERE NOT partial) AS whole, count(*) FILTER (WHERE partial) AS parts
        FROM gone
        GROUP BY 1, 2
    ) t
    WHERE g.device_id = t.device_id AND g.minute = t.minute
)
SELECT count(*) FROM gone

-- name: delete_ledger
-- By minute of arrival.
WITH gone AS (
    DELETE FROM subak.ledger WHERE minute < now() - %(days)s * INTERVAL '1 day' RETURNING 1
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
