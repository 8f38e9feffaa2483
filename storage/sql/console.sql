-- name: be_careful
-- A session that only reads, and not for long.
SELECT set_config('default_transaction_read_only', 'on', false), set_config('statement_timeout', %s, false)

-- name: be_the_reader
-- With no more rights than the reader has, where we may.
SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'MEMBER')

-- name: lanes
-- What is counted, in the order of the street.
SELECT lane_id, kind, device, detector, junction, approach, link, lane, from_kerb
FROM analytics.lanes
WHERE site = %(site)s AND active
ORDER BY lane_id

-- name: devices
-- Every device of the site and when it was last heard.
SELECT device, kind, title, junction, period_s::double precision, presence, presence_since, last_received_at, last_event_at
FROM analytics.devices
WHERE site = %(site)s AND active
ORDER BY device_id

-- name: minutes
-- The bins of some lanes from a time on. OFFSET 0 keeps the planner from reading the whole day instead of walking the key
-- (lane_id, start) once a lane.
SELECT m.*
FROM unnest(%(lanes)s::integer[]) AS k (lane_id)
CROSS JOIN LATERAL (
    SELECT
        lane_id, start, volume, speed::double precision, occupancy::double precision, sm, mp, ks, bb, tb, ktb,
        completeness::double precision, quality, final, revision
    FROM analytics.lane_1min
    WHERE lane_id = k.lane_id AND start >= %(since)s AND start < %(until)s
    OFFSET 0
) AS m
ORDER BY m.lane_id, m.start

-- name: ledger
-- Counts by source from a minute on, and how many rows do not balance; topics of no known device have no site.
SELECT
    CASE WHEN site IS NULL THEN '' ELSE device END,
    coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,
    coalesce(sum(rejected), 0)::bigint, coalesce(sum(late), 0)::bigint, coalesce(sum(lost - recovered), 0)::bigint,
    coalesce(sum(unkept + unkept_partial), 0)::bigint,
    count(*), count(*) FILTER (WHERE NOT balanced)
FROM analytics.ledger
WHERE minute >= %(since)s AND (site = %(site)s OR site IS NULL)
GROUP BY 1

-- name: dead_letters
-- Dead letters by reason, the most frequent first.
SELECT reason, count(*), max(received_at)
FROM analytics.dead_letters
WHERE received_at >= %(since)s AND (site = %(site)s OR site IS NULL)
GROUP BY reason
ORDER BY count(*) DESC, reason
