-- name: variable_phase
-- Phases of the junction, by the approaches that they serve.
SELECT a.phase || ' (' || string_agg(a.approach, ', ' ORDER BY a.approach) || ')' AS __text, a.phase::text AS __value
FROM analytics.approaches a
WHERE a.site = ${site:sqlstring} AND a.junction = ${junction:sqlstring} AND a.phase IS NOT NULL
GROUP BY a.phase ORDER BY a.phase

-- name: fresh_cycles
-- Age of the newest measured cycle at the junction, and the share of cycles without a repaired edge in the last hour.
SELECT {{fresh}} AS fresh FROM (
    SELECT now() - max(c."end") AS age, 100.0 * count(*) FILTER (WHERE c.quality = 'good') / nullif(count(*), 0) AS share
    FROM analytics.signal_cycles c
    WHERE c.site = ${site:sqlstring} AND c.junction = ${junction:sqlstring} AND c.start > now() - interval '1 hour') f

-- name: signals_diagram
-- Purdue coordination diagram of one phase: each vehicle at its time and second in the cycle, by what it met; 2,000 newest of the last two days of the range.
SELECT p.time, p.state AS metric, min(p.seconds)::double precision AS seconds
FROM (
    SELECT a.time, a.state, a.seconds_in_cycle AS seconds
    FROM analytics.signal_arrivals a
    WHERE a.site = ${site:sqlstring} AND a.junction = ${junction:sqlstring} AND a.phase::text = ${phase:sqlstring}
        AND $__timeFilter(a.cycle_start) AND $__timeFilter(a.time) AND a.cycle_start > $__timeTo()::timestamptz - interval '2 days'
    ORDER BY a.time DESC LIMIT 2000) p
GROUP BY 1, 2 ORDER BY 1, 2

-- name: signals_edges
-- Second of each cycle in which green and yellow begin and the cycle ends; a cycle with a lost edge would draw a spike that was none.
SELECT c.start AS time, c.red_s AS green_begins, (c.red_s + c.green_s) AS yellow_begins, c.cycle_s AS cycle_ends
FROM analytics.signal_cycles c
WHERE c.site = ${site:sqlstring} AND c.junction = ${junction:sqlstring} AND c.phase::text = ${phase:sqlstring}
    AND $__timeFilter(c.start) AND c.start > $__timeTo()::timestamptz - interval '2 days' AND c.quality = 'good'
ORDER BY 1

-- name: signals_split_monitor
-- Each phase over the range: splits, terminations, split failures, arrivals on green, and how good the cycles are.
SELECT c.phase::text AS phase, count(*) AS cycles, avg(c.cycle_s) AS cycle_s, avg(c.split_s) AS split_s,
    percentile_cont(0.85) WITHIN GROUP (ORDER BY c.split_s) AS split_85_s,
    100.0 * count(*) FILTER (WHERE c.termination = 'gap_out') / nullif(count(c.termination), 0)::double precision AS gap_out,
    100.0 * count(*) FILTER (WHERE c.termination = 'max_out') / nullif(count(c.termination), 0)::double precision AS max_out,
    100.0 * count(*) FILTER (WHERE c.termination = 'force_off') / nullif(count(c.termination), 0)::double precision AS force_off,
    100.0 * count(*) FILTER (WHERE c.split_failure) / nullif(count(c.split_failure), 0)::double precision AS split_failures,
    100.0 * sum(c.arrivals_on_green) / nullif(sum(c.arrivals), 0)::double precision AS on_green,
    100.0 * count(*) FILTER (WHERE c.quality = 'good') / count(*)::double precision AS good_share
FROM analytics.signal_cycles c
WHERE c.site = ${site:sqlstring} AND c.junction = ${junction:sqlstring} AND $__timeFilter(c.start)
    AND c.start > $__timeTo()::timestamptz - interval '14 days'
GROUP BY c.phase ORDER BY c.phase

-- name: signals_splits
-- Green, yellow and red clearance of each cycle, by phase.
SELECT c.start AS time, 'φ' || c.phase AS metric, avg(c.split_s)::double precision AS split
FROM analytics.signal_cycles c
WHERE c.site = ${site:sqlstring} AND c.junction = ${junction:sqlstring} AND $__timeFilter(c.start)
    AND c.start > $__timeTo()::timestamptz - interval '2 days'
GROUP BY 1, 2 ORDER BY 1, 2

-- name: signals_failures
-- Share of cycles whose green did not empty the queue, by phase; only cycles for which that could be said.
SELECT to_timestamp(floor(extract(epoch FROM c.start) / l.step) * l.step) AS time, 'φ' || c.phase AS metric,
    100.0 * count(*) FILTER (WHERE c.split_failure) / nullif(count(c.split_failure), 0)::double precision AS split_failures
FROM analytics.signal_cycles c, (SELECT greatest(900, ($__interval_ms / 900000) * 900)::double precision AS step) l
WHERE c.site = ${site:sqlstring} AND c.junction = ${junction:sqlstring} AND $__timeFilter(c.start)
    AND c.start > $__timeTo()::timestamptz - interval '14 days'
GROUP BY 1, 2 ORDER BY 1, 2

-- name: signals_terminations
-- How the chosen phase ended, share of its cycles.
SELECT to_timestamp(floor(extract(epoch FROM c.start) / l.step) * l.step) AS time,
    100.0 * count(*) FILTER (WHERE c.termination = 'gap_out') / nullif(count(c.termination), 0)::double precision AS gap_out,
    100.0 * count(*) FILTER (WHERE c.termination = 'force_off') / nullif(count(c.termination), 0)::double precision AS force_off,
    100.0 * count(*) FILTER (WHERE c.termination = 'max_out') / nullif(count(c.termination), 0)::double precision AS max_out
FROM analytics.signal_cycles c, (SELECT greatest(300, ($__interval_ms / 300000) * 300)::double precision AS step) l
WHERE c.site = ${site:sqlstring} AND c.junction = ${junction:sqlstring} AND c.phase::text = ${phase:sqlstring} AND $__timeFilter(c.start)
    AND c.start > $__timeTo()::timestamptz - interval '14 days'
GROUP BY 1 ORDER BY 1
