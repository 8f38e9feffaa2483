-- Speed of an approach as a share of what is usual for it in this quarter of an hour of this weekday.
WITH edge AS (
    SELECT
        date_trunc('minute', $__timeTo()::timestamptz - {{settle}} * INTERVAL '1 second') AS until,
        date_bin('15 minutes', $__timeTo()::timestamptz - {{settle}} * INTERVAL '1 second', '2026-01-01 00:00+00') AT TIME ZONE s.timezone AS slot,
        s.site
    FROM analytics.sites s
    WHERE s.site = {{site}}
),
advice (junction, approach, signs, message, says) AS (
    VALUES {{advice}}
),
seen AS (
    SELECT
        a.site, a.junction, a.approach,
        count(DISTINCT l.lane_id) * {{window}} AS expected,
        count(*) FILTER (WHERE b.quality IN ('good', 'partial')) AS valid,
        sum(b.volume) FILTER (WHERE b.quality IN ('good', 'partial') AND b.speed IS NOT NULL) AS vehicles,
        sum(b.volume * b.speed) FILTER (WHERE b.quality IN ('good', 'partial')) AS distance
    FROM analytics.approaches a
    JOIN analytics.lanes l ON l.site = a.site AND l.junction = a.junction AND l.approach = a.approach AND l.kind = 'atc' AND l.active
    JOIN edge e ON e.site = a.site
    LEFT JOIN analytics.lane_1min b
        ON b.lane_id = l.lane_id AND b.final
        AND b.start >= e.until - {{window}} * INTERVAL '1 minute' AND b.start < e.until AND $__timeFilter(b.start)
    GROUP BY a.site, a.junction, a.approach
),
usual AS (
    SELECT u.site, u.junction, u.approach, sum(u.volume_median * u.speed_median_kmh) / nullif(sum(u.volume_median), 0) AS speed
    FROM analytics.lane_usual u
    JOIN edge e ON e.site = u.site AND u.weekday = extract(isodow FROM e.slot) AND u.slot = e.slot::time
    WHERE u.samples >= {{samples}} AND u.speed_median_kmh IS NOT NULL
    GROUP BY u.site, u.junction, u.approach
)
SELECT
    $__timeTo()::timestamptz AS "time", s.site, s.junction, s.approach, v.signs, v.message, v.says,
    CASE
        WHEN s.valid >= s.expected * {{good_share}} / 100.0 AND s.vehicles >= {{vehicles}}
        THEN 100.0 * s.distance / s.vehicles / nullif(u.speed, 0)
    END::double precision AS value
FROM seen s
LEFT JOIN usual u USING (site, junction, approach)
LEFT JOIN advice v USING (junction, approach)
ORDER BY 1, 2, 3, 4
