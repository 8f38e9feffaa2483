-- name: find
-- Dead letters without their payloads, the newest first.
SELECT dead_letter_id, received_at, device, topic, reason, detail, size, length(payload), partial, redriven, redriven_at
FROM analytics.dead_letters
WHERE (%(numbers)s::bigint[] IS NULL OR dead_letter_id = ANY (%(numbers)s::bigint[]))
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(device)s::text IS NULL OR device = %(device)s)
    AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR received_at < %(until)s)
ORDER BY dead_letter_id DESC
LIMIT %(most)s

-- name: payload
-- What is kept of one.
SELECT payload FROM analytics.dead_letters WHERE dead_letter_id = %s

-- name: mark
-- It was sent again.
UPDATE subak.dead_letter SET redriven = redriven + 1, redriven_at = now() WHERE dead_letter_id = %s

-- name: purge
-- Dead letters go, those of some numbers or those of some age; the ledger counts them as not kept, so that it still agrees with
-- what is there. What is not asked for is NULL.
WITH gone AS (
    DELETE FROM subak.dead_letter
    WHERE dead_letter_id = ANY (%(numbers)s::bigint[]) OR received_at < now() - %(days)s::integer * INTERVAL '1 day'
    RETURNING device_id, received_at, partial
),
counted AS (
    UPDATE subak.ledger g
    SET unkept = g.unkept + t.whole, unkept_partial = g.unkept_partial + t.parts
    FROM (
        SELECT
            device_id, date_trunc('minute', received_at, 'UTC') AS minute,
            count(*) FILTER (WHERE NOT partial) AS whole, count(*) FILTER (WHERE partial) AS parts
        FROM gone
        GROUP BY 1, 2
    ) t
    WHERE g.device_id = t.device_id AND g.minute = t.minute
)
SELECT count(*) FROM gone
