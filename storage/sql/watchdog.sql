-- name: device_numbers
-- Active devices of a site.
SELECT d.device_id, d.name FROM subak.device d JOIN subak.site s USING (site_id) WHERE s.name = %(site)s AND d.active

-- name: conditions
-- Events by which controllers tell their condition; the index signal_event_condition has this very condition.
SELECT e.device_id, subak.us(e.time), e.code, e.parameter
FROM subak.signal_event e
WHERE e.time >= subak.at(%(since_us)s) AND e.time <= subak.at(%(now_us)s)
    AND (e.code BETWEEN 83 AND 92 OR e.code BETWEEN 171 AND 185)
    AND NOT e.future AND e.device_id = ANY (%(devices)s)

-- name: devices
-- When devices were heard, and how their clocks stand to ours by the newest events that they sent themselves.
SELECT
    d.device_id, d.kind, d.period_ms, subak.us(t.last_received_at), t.presence, subak.us(newest.time),
    delays.least, delays.most
FROM subak.device d
JOIN subak.device_state t USING (device_id)
LEFT JOIN LATERAL (
    SELECT e.time
    FROM subak.signal_event e
    WHERE e.device_id = d.device_id AND e.seq >= 0
        AND e.time >= subak.at(%(since_us)s) AND e.time < subak.at(%(now_us)s) + INTERVAL '2 days'
    ORDER BY e.time DESC
    LIMIT 1
) newest ON d.kind = 'atc'
LEFT JOIN LATERAL (
    SELECT min(subak.us(e.received_at) - subak.us(e.time)) AS least, max(subak.us(e.received_at) - subak.us(e.time)) AS most
    FROM subak.signal_event e
    WHERE e.device_id = d.device_id AND e.seq >= 0 AND e.time > newest.time - INTERVAL '2 minutes' AND e.time <= newest.time
) delays ON true
WHERE d.device_id = ANY (%(devices)s)

-- name: lane_hours
-- The last whole hour of each lane, and the median of the same hour in earlier weeks that were observed well.
SELECT
    l.device_id, l.code, h.minutes::int, h.missing::int, h.volume::bigint, CASE WHEN w.weeks >= %(weeks_least)s THEN w.usual END
FROM subak.lane l
JOIN subak.lane_1h h ON h.lane_id = l.lane_id AND h.start = subak.at(%(hour_us)s)
LEFT JOIN LATERAL (
    SELECT count(*) AS weeks, percentile_cont(0.5) WITHIN GROUP (ORDER BY b.volume) AS usual
    FROM subak.lane_1h b
    WHERE b.lane_id = l.lane_id AND b.volume IS NOT NULL AND b.good + b.partial >= 50
        AND b.start IN (SELECT subak.at(%(hour_us)s) - n * INTERVAL '7 days' FROM generate_series(1, %(weeks)s) AS n)
) w ON true
WHERE l.active AND l.device_id = ANY (%(devices)s)

-- name: phase_hours
-- How phases ended and were called by pedestrians in the last 60 minutes, and whether they ended by gap in the look-back.
SELECT
    p.device_id, p.phase, p.gap_outs, p.max_outs, p.force_offs, p.calls,
    p.gap_outs > 0 OR EXISTS (
        SELECT FROM subak.signal_event g
        WHERE g.device_id = p.device_id AND g.time >= subak.at(%(since_us)s) AND g.time <= subak.at(%(now_us)s)
            AND g.code = 4 AND g.parameter = p.phase
    )
FROM (
    SELECT
        u.device_id, u.parameter AS phase,
        (count(*) FILTER (WHERE u.code = 4))::int AS gap_outs, (count(*) FILTER (WHERE u.code = 5))::int AS max_outs,
        (count(*) FILTER (WHERE u.code = 6))::int AS force_offs, (count(*) FILTER (WHERE u.code = 45))::int AS calls
    FROM (
        -- What came twice, live and imported, counts once.
        SELECT DISTINCT e.device_id, e.time, e.code, e.parameter
        FROM subak.signal_event e
        WHERE e.time > subak.at(%(now_us)s) - INTERVAL '1 hour' AND e.time <= subak.at(%(now_us)s)
            AND e.code IN (4, 5, 6, 45) AND e.device_id = ANY (%(devices)s)
    ) u
    GROUP BY u.device_id, u.parameter
) p
