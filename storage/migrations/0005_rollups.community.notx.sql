-- The same rollups as continuous aggregates; real-time, so that they equal the tables of the other levels at any moment.
CREATE MATERIALIZED VIEW subak.lane_15min
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    lane_id,
    time_bucket('15 minutes', start) AS start,
    count(*) AS minutes,
    count(*) FILTER (WHERE quality = 'good') AS good,
    count(*) FILTER (WHERE quality = 'partial') AS partial,
    count(*) FILTER (WHERE quality LIKE 'suspect%') AS suspect,
    count(*) FILTER (WHERE quality LIKE 'imputed%') AS imputed,
    count(*) FILTER (WHERE quality LIKE 'missing%') AS missing,
    sum(covered_ms) AS covered_ms,
    sum(volume) AS volume,
    sum(occupancy_sum)::bigint AS occupancy_sum,
    sum(occupancy_ms)::bigint AS occupancy_ms,
    sum(speed_sum)::bigint AS speed_sum,
    sum(speed_volume) AS speed_volume,
    sum(sm) AS sm,
    sum(mp) AS mp,
    sum(ks) AS ks,
    sum(bb) AS bb,
    sum(tb) AS tb,
    sum(ktb) AS ktb,
    sum(revision) AS revision
FROM subak.lane_1min
WHERE final
GROUP BY lane_id, time_bucket('15 minutes', start)
WITH NO DATA;

CREATE MATERIALIZED VIEW subak.lane_1h
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    lane_id,
    time_bucket('1 hour', start) AS start,
    sum(minutes)::bigint AS minutes,
    sum(good)::bigint AS good,
    sum(partial)::bigint AS partial,
    sum(suspect)::bigint AS suspect,
    sum(imputed)::bigint AS imputed,
    sum(missing)::bigint AS missing,
    sum(covered_ms)::bigint AS covered_ms,
    sum(volume)::bigint AS volume,
    sum(occupancy_sum)::bigint AS occupancy_sum,
    sum(occupancy_ms)::bigint AS occupancy_ms,
    sum(speed_sum)::bigint AS speed_sum,
    sum(speed_volume)::bigint AS speed_volume,
    sum(sm)::bigint AS sm,
    sum(mp)::bigint AS mp,
    sum(ks)::bigint AS ks,
    sum(bb)::bigint AS bb,
    sum(tb)::bigint AS tb,
    sum(ktb)::bigint AS ktb,
    sum(revision)::bigint AS revision
FROM subak.lane_15min
GROUP BY lane_id, time_bucket('1 hour', start)
WITH NO DATA;

CREATE MATERIALIZED VIEW subak.lane_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    lane_id,
    time_bucket('1 day', start, {{timezone}}) AS start,
    sum(minutes)::bigint AS minutes,
    sum(good)::bigint AS good,
    sum(partial)::bigint AS partial,
    sum(suspect)::bigint AS suspect,
    sum(imputed)::bigint AS imputed,
    sum(missing)::bigint AS missing,
    sum(covered_ms)::bigint AS covered_ms,
    sum(volume)::bigint AS volume,
    sum(occupancy_sum)::bigint AS occupancy_sum,
    sum(occupancy_ms)::bigint AS occupancy_ms,
    sum(speed_sum)::bigint AS speed_sum,
    sum(speed_volume)::bigint AS speed_volume,
    sum(sm)::bigint AS sm,
    sum(mp)::bigint AS mp,
    sum(ks)::bigint AS ks,
    sum(bb)::bigint AS bb,
    sum(tb)::bigint AS tb,
    sum(ktb)::bigint AS ktb,
    sum(revision)::bigint AS revision
FROM subak.lane_1h
GROUP BY lane_id, time_bucket('1 day', start, {{timezone}})
WITH NO DATA;
