-- name: digest
-- Of everything that was brought in last.
SELECT content #>> '{}' FROM subak.config_item WHERE site_id = %(site)s AND kind = 'digest'

-- name: begin
-- A site that is brought in for the first time: one row, not one for each of its things.
INSERT INTO subak.config_change (site_id, changed_at, changed_by, kind, element, change, fields)
SELECT site_id, now(), %(by)s, 'site', name, 'begun', '{}'
FROM subak.site s
WHERE site_id = %(site)s AND NOT EXISTS (SELECT FROM subak.config_item i WHERE i.site_id = s.site_id)

-- name: record
-- What differs from what was brought in before. Nothing is known before the first time.
INSERT INTO subak.config_change (site_id, changed_at, changed_by, kind, element, change, fields, before, after)
SELECT
    %(site)s, now(), %(by)s, kind, element,
    CASE WHEN k.content IS NULL THEN 'added' WHEN g.content IS NULL THEN 'removed' ELSE 'changed' END,
    CASE WHEN k.content IS NULL OR g.content IS NULL THEN '{}' ELSE ARRAY(
        SELECT key FROM jsonb_each(k.content) b FULL JOIN jsonb_each(g.content) a USING (key)
        WHERE a.value IS DISTINCT FROM b.value ORDER BY key
    ) END,
    k.content, g.content
FROM (SELECT r ->> 0 AS kind, r ->> 1 AS element, r -> 2 AS content FROM jsonb_array_elements(%(items)s::jsonb) AS r) g
FULL JOIN (SELECT kind, element, content FROM subak.config_item WHERE site_id = %(site)s) k USING (kind, element)
WHERE g.content IS DISTINCT FROM k.content AND kind <> 'digest' AND EXISTS (SELECT FROM subak.config_item WHERE site_id = %(site)s)
ORDER BY kind, element

-- name: forget
-- What is not there any more.
DELETE FROM subak.config_item i
WHERE site_id = %(site)s AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(%(items)s::jsonb) AS r WHERE r ->> 0 = i.kind AND r ->> 1 = i.element
)

-- name: keep
-- What the next one is compared with.
INSERT INTO subak.config_item AS i (site_id, kind, element, content)
SELECT %(site)s, r ->> 0, r ->> 1, r -> 2 FROM jsonb_array_elements(%(items)s::jsonb) AS r
ON CONFLICT (site_id, kind, element) DO UPDATE SET content = excluded.content WHERE i.content <> excluded.content
