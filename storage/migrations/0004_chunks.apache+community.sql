-- Hypertables, one chunk a day; `drop_chunks` is in every edition.
SELECT create_hypertable('subak.lane_reading', by_range('start', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('subak.signal_event', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('subak.sensor_reading', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('subak.camera_health', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('subak.lane_1min', by_range('start', INTERVAL '1 day'), create_default_indexes => false);

-- Chunks make themselves on this level.
CREATE FUNCTION subak.ensure_day(day date) RETURNS void LANGUAGE sql AS '';

CREATE FUNCTION subak.drop_before(relation text, edge timestamptz) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM drop_chunks(('subak.' || quote_ident(relation))::regclass, older_than => edge)
$$;
COMMENT ON FUNCTION subak.drop_before IS 'Drops the chunks of a series that end before the edge; returns how many.';
