-- name: hold_run
-- For as long as this connection lasts: a collector of this name works with so many processes.
SELECT pg_advisory_lock_shared(hashtext(%(name)s), %(processes)s)

-- name: other_runs
-- Numbers of processes that collectors of the same name work with now, other than ours.
SELECT DISTINCT objid::bigint::integer
FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = hashtext(%(name)s)::bigint & 4294967295
    AND objid::bigint <> %(processes)s
ORDER BY 1
