-- What is not granted is refused, to PUBLIC most of all; and the pipeline works as a member of subak_writer that owns nothing.
-- Rights on the database itself are its owner's business: `subak access database` writes them.
REVOKE ALL ON SCHEMA analytics FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA subak FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA subak TO subak_writer;
REVOKE INSERT, UPDATE, DELETE ON subak.migration FROM subak_writer;

-- Tables and views of later migrations are as readable and as writable as those of earlier ones.
ALTER DEFAULT PRIVILEGES IN SCHEMA subak GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO subak_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA subak GRANT USAGE ON SEQUENCES TO subak_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT SELECT ON TABLES TO subak_writer, subak_reader, subak_analyst;

DO $$
DECLARE
    extension text;
    trusted   text := 'pg_catalog';
    own       text;
BEGIN
    -- Before PostgreSQL 15 anybody could create there, and databases upgraded since still allow it.
    IF pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'public'), 'USAGE') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;

    -- Partitions and chunks belong to the owner. The writer makes and drops them through these functions alone, which look up
    -- names where nobody else can put any.
    SELECT nspname INTO extension FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'timescaledb';
    IF extension IS NOT NULL THEN
        trusted := trusted || ', ' || quote_ident(extension);
    END IF;
    FOREACH own IN ARRAY ARRAY['subak.ensure_day(date)', 'subak.drop_before(text, timestamptz)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %s, pg_temp', own, trusted);
    END LOOP;
END
$$;
