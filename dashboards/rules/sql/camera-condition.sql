-- Seconds for which a camera has not been able to see properly, one row a camera and condition so that none vanishes.
SELECT
    $__timeTo()::timestamptz AS "time", d.site, d.device, d.junction, k.condition,
    coalesce(max(extract(epoch FROM $__timeTo()::timestamptz - c.onset)), 0)::double precision AS value
FROM analytics.devices d
CROSS JOIN (
    VALUES ('glare'), ('low_contrast'), ('blurred'), ('covered'), ('frozen'), ('moved'), ('low_fps'), ('lost')
) AS k (condition)
LEFT JOIN analytics.camera_conditions c
    ON c.device_id = d.device_id AND c.condition = k.condition AND c.onset <= $__timeTo()::timestamptz
    AND (c."end" IS NULL OR c."end" > $__timeTo()::timestamptz)
WHERE d.kind = 'cctv' AND d.active AND d.site = {{site}}
GROUP BY d.site, d.device, d.junction, k.condition
ORDER BY 1, 2, 3, 5
