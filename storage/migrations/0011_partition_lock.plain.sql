-- The pipeline and maintenance may want the same day at the same time: the second one waits, and finds it there. Without that it broke
-- on the name that the first was about to take, and the pipeline held a message responsible.
CREATE OR REPLACE FUNCTION subak.ensure_day(day date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    series  text;
    key     text;
    part    text;
    opens   timestamptz := day::timestamp AT TIME ZONE 'UTC';
    closes  timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    FOR series, key IN VALUES
        ('lane_reading', 'start'), ('signal_event', 'time'), ('sensor_reading', 'time'),
        ('camera_health', 'time'), ('lane_1min', 'start')
    LOOP
        part := series || '_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('subak.' || part) IS NOT NULL;
        -- What attaching takes anyway, and of one table for all, since two might be taken in different orders. An advisory lock
        -- would not do: it does not make the session look at the catalogue anew.
        LOCK TABLE subak.lane_reading IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('subak.' || part) IS NOT NULL;
        -- Attached rather than created in place: that takes a weaker lock, readers go on.
        EXECUTE format('CREATE TABLE subak.%I (LIKE subak.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, series);
        EXECUTE format('ALTER TABLE subak.%I ADD CHECK (%I >= %L AND %I < %L)', part, key, opens, key, closes);
        EXECUTE format('ALTER TABLE subak.%I ATTACH PARTITION subak.%I FOR VALUES FROM (%L) TO (%L)', series, part, opens, closes);
    END LOOP;
END
$$;
