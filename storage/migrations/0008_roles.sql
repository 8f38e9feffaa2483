-- Least privilege: the pipeline writes, Grafana and the console read, analysts read the documented views alone.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'subak_writer') THEN CREATE ROLE subak_writer NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'subak_reader') THEN CREATE ROLE subak_reader NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'subak_analyst') THEN CREATE ROLE subak_analyst NOLOGIN; END IF;
END
$$;

GRANT USAGE ON SCHEMA subak, analytics TO subak_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA subak TO subak_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO subak_writer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA subak TO subak_writer;

GRANT USAGE ON SCHEMA analytics TO subak_reader, subak_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO subak_reader, subak_analyst;
REVOKE ALL ON SCHEMA subak FROM PUBLIC;
