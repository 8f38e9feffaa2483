-- How long a device has been silent, in units of the silence that is allowed to it. History comes from the ledger, by the minute.
WITH heard AS (
    SELECT
        d.site, d.kind, d.device,
        greatest(
            coalesce(d.period_s * {{periods}}, {{no_period}}),
            {{least}}
        ) AS allowed_s,
        coalesce(
            CASE WHEN d.last_received_at <= $__timeTo()::timestamptz THEN d.last_received_at END,
            (
                SELECT least(g.minute + INTERVAL '1 minute', $__timeTo()::timestamptz)
                FROM analytics.ledger g
                WHERE g.device_id = d.device_id AND g.minute <= $__timeTo()::timestamptz AND g.received > 0
                ORDER BY g.minute DESC
                LIMIT 1
            )
        ) AS at
    FROM analytics.devices d
    WHERE d.active AND d.site = {{site}}
)
SELECT
    $__timeTo()::timestamptz AS "time", site, kind, device,
    coalesce(extract(epoch FROM $__timeTo()::timestamptz - at) / allowed_s, 999)::double precision AS value
FROM heard
ORDER BY 1, 2, 3, 4
