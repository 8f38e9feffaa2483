-- name: pipeline_ledger
-- Messages a minute of arrival; above a day, of a longer step.
SELECT to_timestamp(floor(extract(epoch FROM g.minute) / l.step) * l.step) AS time,
    sum(g.stored) * 60 / l.step AS stored, sum(g.duplicate) * 60 / l.step AS duplicate, sum(g.rejected) * 60 / l.step AS rejected
FROM analytics.ledger g, (SELECT greatest(60, ($__interval_ms / 60000) * 60)::double precision AS step) l
WHERE $__timeFilter(g.minute) AND (g.site = ${site:sqlstring} OR g.site IS NULL)
GROUP BY 1, l.step ORDER BY 1

-- name: pipeline_balance
-- Rows of the ledger in the range, and those that do not balance.
SELECT count(*) FILTER (WHERE NOT g.balanced) AS unbalanced, count(*) AS source_minutes
FROM analytics.ledger g WHERE $__timeFilter(g.minute) HAVING count(*) > 0

-- name: pipeline_lag
-- Seconds from the end of what a lane reading says to its arrival: median and 95th percentile a minute.
SELECT date_trunc('minute', r.received_at) AS time,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.received_at - r.start) - r.period_s)::double precision AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM r.received_at - r.start) - r.period_s)::double precision AS p95
FROM analytics.lane_readings r
WHERE $__timeFilter(r.start) AND r.start > $__timeTo()::timestamptz - interval '1 hour' AND r.site = ${site:sqlstring} AND NOT r.future
GROUP BY 1 ORDER BY 1

-- name: pipeline_lost
-- What sequence numbers show: lost upstream, recovered since, late.
SELECT to_timestamp(floor(extract(epoch FROM g.minute) / l.step) * l.step) AS time,
    sum(g.lost) AS lost, sum(g.recovered) AS recovered, sum(g.late) AS late
FROM analytics.ledger g, (SELECT greatest(60, ($__interval_ms / 60000) * 60)::double precision AS step) l
WHERE $__timeFilter(g.minute) AND (g.site = ${site:sqlstring} OR g.site IS NULL)
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
-- The ledger by source over the range, the worst first.
SELECT coalesce(nullif(g.device, ''), '?') AS device, sum(g.received) AS received, sum(g.stored) AS stored, sum(g.duplicate) AS duplicate, sum(g.rejected) AS rejected,
    sum(g.lost) - sum(g.recovered) AS lost, sum(g.late) AS late, bool_and(g.balanced) AS balanced
FROM analytics.ledger g
WHERE $__timeFilter(g.minute) AND (g.site = ${site:sqlstring} OR g.site IS NULL)
GROUP BY 1 ORDER BY sum(g.rejected) + sum(g.lost) DESC, 1
