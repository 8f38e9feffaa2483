-- name: fragment_scope_junction
-- Loops of the chosen approaches and lanes of one junction.
b.kind = 'atc' AND b.site = ${site:sqlstring} AND b.junction = ${junction:sqlstring}
    AND ('__all' IN (${approach:sqlstring}) OR b.approach IN (${approach:sqlstring}))
    AND ('__all' IN (${lane:sqlstring}) OR b.lane IN (${lane:sqlstring}))

-- name: fragment_scope_cameras
-- Virtual lanes of cameras at one junction.
b.kind = 'cctv' AND b.site = ${site:sqlstring} AND b.junction = ${junction:sqlstring}

-- name: fragment_scope_site
-- Every loop of the site.
b.kind = 'atc' AND b.site = ${site:sqlstring}

-- name: fragment_scope_views
-- Every virtual lane of the site's cameras.
b.kind = 'cctv' AND b.site = ${site:sqlstring}

-- name: fragment_scope_corridor
-- Every loop at a junction of the chosen corridor.
b.kind = 'atc' AND b.site = ${site:sqlstring}
    AND b.junction IN (SELECT a.junction FROM analytics.approaches a WHERE a.site = ${site:sqlstring} AND a.corridor = ${corridor:sqlstring})

-- name: fragment_along
-- Junctions of the corridor, numbered in the direction of travel so that rows stand in that order.
SELECT p.junction, to_char(min(c.position), 'FM00') || ' ' || p.junction AS metric
FROM analytics.approaches p
JOIN analytics.corridors c ON c.site = p.site AND c.link = p.link
WHERE p.site = ${site:sqlstring} AND c.corridor = ${corridor:sqlstring}
GROUP BY p.junction

-- name: fragment_origin
-- Where the grid begins: local midnight, so that days are the site's.
(timestamp '2000-01-01' AT TIME ZONE '{{zone}}')

-- name: fragment_grid
-- Every even moment of the range, so that what is not there is a gap.
SELECT generate_series(
    date_bin({{step}}, $__timeFrom()::timestamptz, {{origin}}),
    least($__timeTo()::timestamptz, now()) - {{step}} - interval '30 seconds', {{step}}) AS time

-- name: fragment_spell
-- An age as people say it.
CASE
    WHEN age < interval '2 minutes' THEN round(extract(epoch FROM age)) || ' {{second}}'
    WHEN age < interval '2 hours' THEN round(extract(epoch FROM age) / 60) || ' {{minute}}'
    WHEN age < interval '2 days' THEN round(extract(epoch FROM age) / 3600) || ' {{hour}}'
    ELSE round(extract(epoch FROM age) / 86400) || ' {{day}}'
END

-- name: fragment_fresh
-- Age and share of good inputs as one short text, from columns age and share.
CASE WHEN age IS NULL THEN '{{none}}' ELSE '{{age}} ' || {{spell}} END
    || CASE WHEN share IS NULL THEN '' ELSE ' · ' || round(share) || ' % {{good}}' END

-- name: fragment_ledger
-- The ledger of the site and of what belongs to no known device: minutes up to a day, hours beyond, which are their sums.
SELECT g.device_id, g.device, g.minute AS start, 1 AS minutes, (NOT g.balanced)::int AS unbalanced,
    g.received, g.stored, g.duplicate, g.rejected, g.late, g.lost, g.recovered
FROM analytics.ledger g
WHERE $__timeFilter(g.minute) AND {{range}} <= interval '1 day 1 hour' AND (g.site = ${site:sqlstring} OR g.site IS NULL)
UNION ALL SELECT h.device_id, h.device, h.start, h.minutes, h.unbalanced,
    h.received, h.stored, h.duplicate, h.rejected, h.late, h.lost, h.recovered
FROM analytics.ledger_1h h
WHERE $__timeFilter(h.start) AND {{range}} > interval '1 day 1 hour' AND (h.site = ${site:sqlstring} OR h.site IS NULL)

-- name: fragment_ledger_step
-- Length of a bar of the ledger: as long as the screen wants, in whole minutes up to a day and whole hours beyond.
CASE WHEN {{range}} <= interval '1 day 1 hour' THEN greatest(1, $__interval_ms / 60000) * interval '1 minute'
    ELSE greatest(1, $__interval_ms / 3600000) * interval '1 hour' END

-- name: fragment_raw_step
-- Length of a step of readings that have no roll-up: as long as the screen wants up to a day, a 400th of the range beyond.
CASE WHEN {{range}} <= interval '1 day 1 hour' THEN greatest(1, $__interval_ms / 60000) * interval '1 minute'
    ELSE ceil(extract(epoch FROM {{range}}) / 24000) * interval '1 minute' END

-- name: fragment_moments
-- Ends of the steps of a range longer than a day: of what has no roll-up, one reading of the last ten minutes of each is shown.
SELECT generate_series(date_bin({{raw_step}}, $__timeFrom()::timestamptz, {{origin}}) + {{raw_step}}, least($__timeTo()::timestamptz, now()), {{raw_step}}) AS time
WHERE {{range}} > interval '1 day 1 hour'

-- name: fragment_day_before
-- A day before the range, which does not begin in the future, as a constant while PostgreSQL plans: what is asked of the present alone
-- changes nothing by it and leaves out older partitions at once, where `now()` would have all of a year planned.
(($__timeFrom()::timestamptz AT TIME ZONE 'UTC' - interval '1 day') AT TIME ZONE 'UTC')
