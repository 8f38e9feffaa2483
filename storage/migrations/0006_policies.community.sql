-- What only this edition has: old chunks become columns, rollups are materialised in the background.
ALTER TABLE subak.lane_reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'lane_id', timescaledb.orderby = 'start DESC, seq DESC');
ALTER TABLE subak.signal_event SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id', timescaledb.orderby = 'time DESC, seq DESC, ordinal DESC');
ALTER TABLE subak.sensor_reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id', timescaledb.orderby = 'time DESC, seq DESC, metric_id');

-- Late data up to a week old meets rows, not columns.
CALL add_columnstore_policy('subak.lane_reading', after => INTERVAL '7 days');
CALL add_columnstore_policy('subak.signal_event', after => INTERVAL '7 days');
CALL add_columnstore_policy('subak.sensor_reading', after => INTERVAL '7 days');

-- Later data is refreshed by the maintenance role, which reads subak.late_minute.
SELECT add_continuous_aggregate_policy('subak.lane_15min', start_offset => INTERVAL '3 days', end_offset => INTERVAL '30 minutes', schedule_interval => INTERVAL '5 minutes');
SELECT add_continuous_aggregate_policy('subak.lane_1h', start_offset => INTERVAL '3 days', end_offset => INTERVAL '2 hours', schedule_interval => INTERVAL '30 minutes');
SELECT add_continuous_aggregate_policy('subak.lane_1d', start_offset => INTERVAL '9 days', end_offset => INTERVAL '2 days', schedule_interval => INTERVAL '6 hours');

-- Days whose final bins changed after the policies above had passed them; maintenance refreshes and clears.
CREATE TABLE subak.late_day (
    start timestamptz PRIMARY KEY
);
