-- Native partitions, one a UTC day, made ahead of time and whenever a batch brings another day.
CREATE FUNCTION subak.ensure_day(day date) RETURNS void LANGUAGE plpgsql AS $$
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
        -- The pipeline and maintenance may want the same day at the same time: the second one waits, and finds it there. This is
        -- the lock that attaching takes anyway, and of one table for all, since two might be taken in different orders. An
        -- advisory lock would not do: it does not make the session look at the catalogue anew.
        LOCK TABLE subak.lane_reading IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('subak.' || part) IS NOT NULL;
        -- Attached rather than created in place: that takes a weaker lock, readers go on.
        EXECUTE format('CREATE TABLE subak.%I (LIKE subak.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, series);
        EXECUTE format('ALTER TABLE subak.%I ADD CHECK (%I >= %L AND %I < %L)', part, key, opens, key, closes);
        EXECUTE format('ALTER TABLE subak.%I ATTACH PARTITION subak.%I FOR VALUES FROM (%L) TO (%L)', series, part, opens, closes);
    END LOOP;
END
$$;
COMMENT ON FUNCTION subak.ensure_day IS 'Makes the partitions of one UTC day where they do not exist yet.';

CREATE FUNCTION subak.drop_before(relation text, edge timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part    regclass;
    dropped bigint := 0;
BEGIN
    FOR part IN
        SELECT inhrelid::regclass
        FROM pg_inherits
        WHERE inhparent = ('subak.' || quote_ident(relation))::regclass
          AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') + 1 <= (edge AT TIME ZONE 'UTC')::date
    LOOP
        EXECUTE format('DROP TABLE %s', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION subak.drop_before IS 'Drops the partitions of a series that end before the edge; returns how many.';
