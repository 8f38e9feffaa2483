-- Findings of the watchdog and of the cross-checks that are open and were announced, by device.
SELECT
    $__timeTo()::timestamptz AS "time", d.site, d.kind, d.device, count(a.alert_id)::double precision AS value
FROM analytics.devices d
LEFT JOIN analytics.alerts a
    ON a.device_id = d.device_id AND a.announced_at <= $__timeTo()::timestamptz AND a.onset <= $__timeTo()::timestamptz
    AND (a."end" IS NULL OR a."end" > $__timeTo()::timestamptz)
WHERE d.active AND d.site = {{site}}
GROUP BY d.site, d.kind, d.device
ORDER BY 1, 2, 3, 4
