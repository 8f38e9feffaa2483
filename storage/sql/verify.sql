-- name: snapshot
-- One moment for all that is compared.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: counting_lanes
-- Lanes by device.
SELECT device_id, lane_id FROM subak.lane ORDER BY device_id, lane_id

-- name: span
-- From the first to after the last minute that readings or bins touch.
SELECT subak.us(min(first)), subak.us(max(last) + INTERVAL '1 minute')
FROM (
    SELECT min(start) AS first, max(start + period_ms * INTERVAL '1 millisecond') AS last
    FROM subak.lane_reading WHERE start >= subak.at(%(since)s) - INTERVAL '1 hour'
    UNION ALL
    SELECT min(start), max(start) FROM subak.lane_1min WHERE start >= subak.at(%(since)s)
) t

-- name: hours
-- Hours of the span that hold anything.
SELECT DISTINCT subak.us(date_trunc('hour', start, 'UTC')) AS hour FROM subak.lane_1min
WHERE start >= subak.at(%(since)s) AND start < subak.at(%(until)s)
UNION
SELECT DISTINCT subak.us(date_trunc('hour', start, 'UTC')) FROM subak.lane_reading
WHERE start >= subak.at(%(since)s) AND start < subak.at(%(until)s)
ORDER BY hour

-- name: readings_between
-- Readings that touch a span: those that begin in it and long ones that reach into it.
SELECT
    lane_id, subak.us(start), seq, period_ms, volume, occupancy, speed, sm, mp, ks, bb, tb, ktb, fault, future, subak.us(received_at)
FROM subak.lane_reading
WHERE (start >= subak.at(%(since)s) AND start < subak.at(%(until)s))
    OR (period_ms > 60000 AND start >= subak.at(%(since)s) - INTERVAL '1 hour' AND start < subak.at(%(since)s))

-- name: bins_between
-- Bins of a span, in the order of processors.bins.LaneBin.
SELECT
    lane_id, subak.us(start), readings, covered_ms, volume, occupancy_sum, occupancy_ms, speed_sum, speed_volume,
    sm, mp, ks, bb, tb, ktb, quality, final
FROM subak.lane_1min
WHERE start >= subak.at(%(since)s) AND start < subak.at(%(until)s)

-- name: rollup_differences
-- Rollups that are not the sum of the final minutes in them.
WITH wanted AS (
    SELECT
        r.kind, b.lane_id,
        CASE r.kind WHEN '1d' THEN date_trunc('day', b.start, %(timezone)s) ELSE date_bin(r.width, b.start, 'epoch') END AS start,
        count(*) AS minutes, sum(b.covered_ms) AS covered_ms, sum(b.volume) AS volume, sum(b.occupancy_sum) AS occupancy_sum,
        sum(b.speed_sum) AS speed_sum, sum(b.sm) AS sm, sum(b.mp) AS mp, sum(b.revision) AS revision
    FROM (VALUES ('15min', INTERVAL '15 minutes'), ('1h', INTERVAL '1 hour'), ('1d', INTERVAL '1 day')) AS r (kind, width)
    CROSS JOIN subak.lane_1min b
    WHERE b.final AND b.start >= date_trunc('day', subak.at(%(since)s), %(timezone)s)
    GROUP BY 1, 2, 3
),
found AS (
    SELECT '15min' AS kind, lane_id, start, minutes, covered_ms, volume, occupancy_sum, speed_sum, sm, mp, revision FROM subak.lane_15min
    UNION ALL
    SELECT '1h', lane_id, start, minutes, covered_ms, volume, occupancy_sum, speed_sum, sm, mp, revision FROM subak.lane_1h
    UNION ALL
    SELECT '1d', lane_id, start, minutes, covered_ms, volume, occupancy_sum, speed_sum, sm, mp, revision FROM subak.lane_1d
)
SELECT kind, lane_id, start
FROM wanted w
FULL JOIN (SELECT * FROM found WHERE start >= date_trunc('day', subak.at(%(since)s), %(timezone)s)) f USING (kind, lane_id, start)
WHERE (w.minutes, w.covered_ms, w.volume, w.occupancy_sum, w.speed_sum, w.sm, w.mp, w.revision)
    IS DISTINCT FROM (f.minutes, f.covered_ms, f.volume, f.occupancy_sum, f.speed_sum, f.sm, f.mp, f.revision)
ORDER BY start, kind, lane_id
LIMIT 100

-- name: ledger_totals
-- Sums of the ledger.
SELECT count(*), coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,
    coalesce(sum(rejected), 0)::bigint, coalesce(sum(late), 0)::bigint, coalesce(sum(lost), 0)::bigint, coalesce(sum(recovered), 0)::bigint
FROM subak.ledger WHERE minute >= subak.at(%(since)s)

-- name: ledger_differences
-- Minutes of a source whose ledger does not balance, or does not agree with what is really there.
WITH messages AS (
    SELECT l.device_id, r.received_at
    FROM subak.lane_reading r JOIN subak.lane l USING (lane_id) WHERE r.received_at >= subak.at(%(since)s)
    UNION
    SELECT device_id, received_at FROM subak.signal_event WHERE received_at >= subak.at(%(since)s)
    UNION
    SELECT device_id, received_at FROM subak.sensor_reading WHERE received_at >= subak.at(%(since)s)
    UNION
    SELECT device_id, received_at FROM subak.camera_health WHERE received_at >= subak.at(%(since)s)
    UNION
    SELECT device_id, received_at FROM subak.sign_message WHERE received_at >= subak.at(%(since)s)
    UNION
    SELECT device_id, received_at FROM subak.presence_change WHERE received_at >= subak.at(%(since)s)
),
stored AS (
    -- No two messages are received at the same microsecond, so that is what tells them apart whatever rows they left.
    SELECT device_id, date_trunc('minute', received_at, 'UTC') AS minute, count(*) AS stored FROM messages GROUP BY 1, 2
),
rejected AS (
    SELECT device_id, date_trunc('minute', received_at, 'UTC') AS minute, count(*) AS rejected
    FROM subak.dead_letter WHERE NOT partial AND received_at >= subak.at(%(since)s) GROUP BY 1, 2
)
SELECT
    device_id, minute, coalesce(g.received, 0), coalesce(g.stored, 0), coalesce(g.duplicate, 0), coalesce(g.rejected, 0),
    coalesce(s.stored, 0), coalesce(x.rejected, 0) + coalesce(g.unkept, 0)
FROM (SELECT * FROM subak.ledger WHERE minute >= subak.at(%(since)s)) g
FULL JOIN stored s USING (device_id, minute)
FULL JOIN rejected x USING (device_id, minute)
WHERE minute >= subak.at(%(since)s) AND (
    coalesce(g.received, 0) <> coalesce(g.stored, 0) + coalesce(g.duplicate, 0) + coalesce(g.rejected, 0)
    OR coalesce(g.stored, 0) <> coalesce(s.stored, 0)
    OR coalesce(g.rejected, 0) <> coalesce(x.rejected, 0) + coalesce(g.unkept, 0)
)
ORDER BY minute, device_id
LIMIT 100

-- name: ledger_hour_differences
-- Hours of the ledger that are not the sum of their minutes.
WITH wanted AS (
    SELECT
        device_id, date_bin('1 hour', minute, 'epoch') AS start, count(*) AS minutes,
        count(*) FILTER (WHERE received <> stored + duplicate + rejected) AS unbalanced, sum(received) AS received, sum(stored) AS stored,
        sum(duplicate) AS duplicate, sum(rejected) AS rejected, sum(late) AS late, sum(lost) AS lost, sum(recovered) AS recovered,
        sum(unkept) AS unkept, sum(unkept_partial) AS unkept_partial
    FROM subak.ledger WHERE minute >= date_bin('1 hour', subak.at(%(since)s), 'epoch') GROUP BY 1, 2
)
SELECT device_id, start, coalesce(h.received, 0), coalesce(w.received, 0)
FROM wanted w
FULL JOIN (SELECT * FROM subak.ledger_1h WHERE start >= date_bin('1 hour', subak.at(%(since)s), 'epoch')) h USING (device_id, start)
WHERE (
    w.minutes, w.unbalanced, w.received, w.stored, w.duplicate, w.rejected, w.late, w.lost, w.recovered, w.unkept, w.unkept_partial
) IS DISTINCT FROM (
    h.minutes, h.unbalanced, h.received, h.stored, h.duplicate, h.rejected, h.late, h.lost, h.recovered, h.unkept, h.unkept_partial
)
ORDER BY start, device_id
LIMIT 100
