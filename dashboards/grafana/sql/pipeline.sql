-- name: pipeline_ledger
-- Messages a minute of arrival; above a day, of a longer step.
SELECT date_bin({{ledger_step}}, g.start, {{origin}}) AS time,
    (sum(g.stored) * 60)::double precision / extract(epoch FROM {{ledger_step}})::double precision AS stored,
    (sum(g.duplicate) * 60)::double precision / extract(epoch FROM {{ledger_step}})::double precision AS duplicate,
    (sum(g.rejected) * 60)::double precision / extract(epoch FROM {{ledger_step}})::double precision AS rejected
FROM ({{ledger}}) g
GROUP BY 1 ORDER BY 1

-- name: pipeline_balance
-- Minutes of sources in the range, and those that do not balance.
SELECT sum(g.unbalanced)::bigint AS unbalanced, sum(g.minutes)::bigint AS source_minutes
FROM ({{ledger}}) g HAVING count(*) > 0

-- name: pipeline_lag
-- Seconds from the end of what a lane reading says to its arrival: median and 95th percentile a minute, of one lane of each device, since
-- a message brings all of its lanes.
SELECT q.time, q.lag[1] AS p50, q.lag[2] AS p95
FROM (
    SELECT date_trunc('minute', r.received_at) AS time,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
            ORDER BY extract(epoch FROM r.received_at - r.start)::double precision - r.period_s::double precision) AS lag
    FROM analytics.lane_readings r
    WHERE $__timeFilter(r.start) AND r.start > $__timeTo()::timestamptz - interval '1 hour' AND NOT r.future
        AND r.lane_id IN (SELECT min(l.lane_id) FROM analytics.lanes l WHERE l.site = ${site:sqlstring} AND l.active GROUP BY l.device)
    GROUP BY 1) q
ORDER BY 1

-- name: pipeline_acks
-- Milliseconds from receipt to acknowledgement, mean and slowest of all writers, and the slowest transaction; the newest 31 days.
SELECT date_bin(greatest(1, $__interval_ms / 60000) * interval '1 minute', p.minute, {{origin}}) AS time,
    sum(p.ack_delay_mean_ms * p.messages) / nullif(sum(p.messages), 0)::double precision AS mean,
    max(p.ack_delay_max_ms)::double precision AS slowest, max(p.transaction_max_ms)::double precision AS transaction
FROM analytics.pipeline_minutes p
WHERE $__timeFilter(p.minute) AND p.minute > $__timeTo()::timestamptz - interval '31 days'
GROUP BY 1 ORDER BY 1

-- name: pipeline_lost
-- What sequence numbers show: lost upstream, recovered since, late.
SELECT date_bin({{ledger_step}}, g.start, {{origin}}) AS time,
    sum(g.lost)::bigint AS lost, sum(g.recovered)::bigint AS recovered, sum(g.late)::bigint AS late
FROM ({{ledger}}) g
GROUP BY 1 ORDER BY 1

-- name: pipeline_letters
-- Dead letters by reason.
SELECT x.reason, count(*) AS letters, max(x.received_at) AS last_at, count(DISTINCT x.device_id) AS devices
FROM analytics.dead_letters x
WHERE $__timeFilter(x.received_at) AND (x.site = ${site:sqlstring} OR x.site IS NULL)
GROUP BY 1 ORDER BY 2 DESC

-- name: pipeline_letters_over_time
-- Dead letters by reason over time.
SELECT to_timestamp(floor(extract(epoch FROM x.received_at) / l.step) * l.step) AS time, x.reason AS metric, count(*) AS letters
FROM analytics.dead_letters x, (SELECT greatest(60, ($__interval_ms / 60000) * 60)::double precision AS step) l
WHERE $__timeFilter(x.received_at) AND (x.site = ${site:sqlstring} OR x.site IS NULL)
GROUP BY 1, 2 ORDER BY 1, 2

-- name: pipeline_sources
-- The ledger by source over the range, the worst first; added up before names come into it.
SELECT coalesce(nullif(g.device, ''), '?') AS device, g.received, g.stored, g.duplicate, g.rejected, g.lost, g.late, g.unbalanced = 0 AS balanced
FROM (
    SELECT x.device, sum(x.received)::bigint AS received, sum(x.stored)::bigint AS stored, sum(x.duplicate)::bigint AS duplicate,
        sum(x.rejected)::bigint AS rejected, (sum(x.lost) - sum(x.recovered))::bigint AS lost, sum(x.late)::bigint AS late,
        sum(x.unbalanced) AS unbalanced, sum(x.rejected) + sum(x.lost) AS worst
    FROM ({{ledger}}) x GROUP BY 1) g
ORDER BY g.worst DESC, 1
