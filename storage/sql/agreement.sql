-- name: agreements
-- Each lane that a loop and a camera both count: sums of the rolling window, and the usual ratio of the same half of the day.
WITH compared AS (
    SELECT d.device_id AS camera_device_id, c.lane, c.start, c.loop_volume, c.camera_volume, c.daylight
    FROM analytics.lane_comparisons c
    JOIN analytics.devices d ON d.site = c.site AND d.kind = 'cctv' AND d.device = c.camera_device
    WHERE c.site = %(site)s AND c.class = 'all' AND c.quality = 'good' AND c.start >= subak.at(%(now_us)s) - %(history)s * INTERVAL '1 day'
),
newest AS (
    SELECT DISTINCT ON (camera_device_id, lane) camera_device_id, lane, daylight
    FROM compared ORDER BY camera_device_id, lane, start DESC
)
SELECT
    n.camera_device_id, n.lane,
    (count(*) FILTER (WHERE c.start >= subak.at(%(now_us)s) - %(window_s)s * INTERVAL '1 second'))::int,
    coalesce(sum(c.loop_volume) FILTER (WHERE c.start >= subak.at(%(now_us)s) - %(window_s)s * INTERVAL '1 second'), 0)::bigint,
    coalesce(sum(c.camera_volume) FILTER (WHERE c.start >= subak.at(%(now_us)s) - %(window_s)s * INTERVAL '1 second'), 0)::bigint,
    n.daylight,
    CASE
        WHEN count(*) FILTER (WHERE c.daylight = n.daylight AND c.start < subak.at(%(now_us)s) - %(window_s)s * INTERVAL '1 second') >= %(least)s
        THEN (
            sum(c.camera_volume) FILTER (WHERE c.daylight = n.daylight AND c.start < subak.at(%(now_us)s) - %(window_s)s * INTERVAL '1 second')::float
            / nullif(sum(c.loop_volume) FILTER (
                WHERE c.daylight = n.daylight AND c.start < subak.at(%(now_us)s) - %(window_s)s * INTERVAL '1 second'
            ), 0)
        )
    END
FROM newest n
JOIN compared c USING (camera_device_id, lane)
GROUP BY n.camera_device_id, n.lane, n.daylight
