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

-- name: signal_progress
-- Up to where a controller is measured, and whether late events wait.
SELECT done_until, redoing FROM analytics.signal_progress WHERE site = %(site)s AND device = %(device)s

-- name: signal_cycles
-- Cycles of a controller that end after a time, with the second in the cycle of each arrival.
SELECT
    c.phase, c.start, c.green, c.yellow, c."end", c.split_s, c.programmed_s, c.termination, c.split_failure, c.green_occupancy,
    c.red_occupancy, c.arrivals, c.arrivals_on_green, c.quality, c.revision, coalesce(a.seconds, '{}') AS points
FROM analytics.signal_cycles c
LEFT JOIN (
    SELECT phase, cycle_start, array_agg(seconds_in_cycle ORDER BY "time") AS seconds
    FROM analytics.signal_arrivals
    WHERE site = %(site)s AND device = %(device)s AND cycle_start >= %(since)s
    GROUP BY phase, cycle_start
) a ON a.phase = c.phase AND a.cycle_start = c.start
WHERE c.site = %(site)s AND c.device = %(device)s AND c.start >= %(since)s
ORDER BY c.phase, c.start

-- name: signal_aspects
-- What each phase shows: its newest begin of green, yellow or red in the last minutes.
SELECT DISTINCT ON (parameter) parameter, code, "time"
FROM analytics.signal_events
WHERE site = %(site)s AND device = %(device)s AND "time" >= %(since)s AND "time" < %(until)s AND code IN (1, 8, 9) AND NOT future
ORDER BY parameter, "time" DESC
