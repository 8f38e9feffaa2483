-- name: installed
-- Is TimescaleDB in this database?
SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'

-- name: licence
-- Under which licence it runs: timescale (community) or apache.
SELECT current_setting('timescaledb.license')

-- name: offered
-- The server has it ready and this database has not taken it yet. Its loader has this setting; what is preloaded may be asked by
-- superusers alone, and the owner need not be one.
SELECT installed_version IS NULL AND current_setting('timescaledb.disable_load', true) IS NOT NULL
FROM pg_available_extensions
WHERE name = 'timescaledb'

-- name: install
-- Take it.
CREATE EXTENSION timescaledb

-- name: lock
-- One migration at a time.
SELECT pg_advisory_lock(%s)

-- name: unlock
-- The next may begin.
SELECT pg_advisory_unlock(%s)

-- name: begun
-- Whether any migration has run here.
SELECT to_regclass('subak.migration') IS NOT NULL

-- name: make_schema
-- Before anything else.
CREATE SCHEMA IF NOT EXISTS subak

-- name: make_list
-- What has run.
CREATE TABLE IF NOT EXISTS subak.migration (
    number integer PRIMARY KEY,
    name   text NOT NULL,
    digest text NOT NULL,
    level  text NOT NULL,
    ran_at timestamptz NOT NULL
)

-- name: done
-- What has run, with what is compared.
SELECT number, name, digest, level FROM subak.migration

-- name: record
-- It has run.
INSERT INTO subak.migration (number, name, digest, level, ran_at) VALUES (%s, %s, %s, %s, now())

-- name: may_migrate
-- Who we are, and whether we may make things here and own the schema, or there is none yet.
SELECT
    current_user,
    has_database_privilege(current_database(), 'CREATE')
        AND coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'subak'), true)
