-- Vehicles doing what they should not that a camera sees or has just seen; nothing is said while it cannot see or tells nothing.
-- An event whose end nobody saw, because the camera restarted, is over with the first report that no longer carries it.
WITH advice (device, approach, signs, message, says) AS (
    VALUES {{camera_advice}}
),
happening AS (
    SELECT e.device_id, count(*) AS vehicles
    FROM analytics.camera_events e
    WHERE e.kind = {{event}} AND $__timeFilter(e.onset)
      AND (e."end" IS NULL OR e."end" > $__timeTo()::timestamptz - {{recent}} * INTERVAL '1 second')
    GROUP BY e.device_id
),
blind AS (
    SELECT DISTINCT c.device_id
    FROM analytics.camera_conditions c
    WHERE c.quality = 'missing' AND c.onset <= $__timeTo()::timestamptz
      AND (c."end" IS NULL OR c."end" > $__timeTo()::timestamptz)
)
SELECT
    $__timeTo()::timestamptz AS "time", d.site, d.device, d.junction, v.approach, v.signs, v.message, v.says,
    CASE
        WHEN b.device_id IS NULL AND (t.at IS NULL OR t.at > $__timeTo()::timestamptz - {{silent}} * INTERVAL '1 second')
        THEN coalesce(h.vehicles, 0)
    END::double precision AS value
FROM analytics.devices d
LEFT JOIN happening h USING (device_id)
LEFT JOIN blind b USING (device_id)
LEFT JOIN LATERAL (
    -- A camera that told within a day what goes on; of others there is nothing to wait for.
    SELECT x.time AS at
    FROM analytics.camera_health x
    WHERE x.device_id = d.device_id AND x.ongoing IS NOT NULL
      AND x.time <= $__timeTo()::timestamptz AND x.time > $__timeTo()::timestamptz - INTERVAL '1 day'
    ORDER BY x.time DESC
    LIMIT 1
) t ON true
LEFT JOIN advice v USING (device)
WHERE d.kind = 'cctv' AND d.active AND d.site = {{site}}
ORDER BY 1, 2, 3
