-- Messages of a device that were rejected in the window.
SELECT
    $__timeTo()::timestamptz AS "time", d.site, d.kind, d.device, coalesce(sum(g.rejected), 0)::double precision AS value
FROM analytics.devices d
LEFT JOIN analytics.ledger g
    ON g.device_id = d.device_id AND $__timeFilter(g.minute) AND g.minute > $__timeTo()::timestamptz - {{window}} * INTERVAL '1 minute'
WHERE d.active AND d.site = {{site}}
GROUP BY d.site, d.kind, d.device
ORDER BY 1, 2, 3, 4
