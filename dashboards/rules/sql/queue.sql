-- Share of an approach's lane-minutes in which traffic stands, over its last final minutes.
WITH edge AS (
    SELECT date_trunc('minute', $__timeTo()::timestamptz - {{settle}} * INTERVAL '1 second') AS until
),
advice (junction, approach, signs, message, says) AS (
    VALUES {{advice}}
),
seen AS (
    SELECT
        a.site, a.junction, a.approach,
        count(DISTINCT l.lane_id) * {{window}} AS expected,
        count(*) FILTER (WHERE b.quality IN ('good', 'partial') AND b.occupancy IS NOT NULL) AS valid,
        count(*) FILTER (
            WHERE b.quality IN ('good', 'partial') AND b.occupancy >= {{occupancy}} AND coalesce(b.speed, 0) <= {{speed}}
        ) AS standing
    FROM analytics.approaches a
    JOIN analytics.lanes l ON l.site = a.site AND l.junction = a.junction AND l.approach = a.approach AND l.kind = 'atc' AND l.active
    CROSS JOIN edge e
    LEFT JOIN analytics.lane_1min b
        ON b.lane_id = l.lane_id AND b.final
        AND b.start >= e.until - {{window}} * INTERVAL '1 minute' AND b.start < e.until AND $__timeFilter(b.start)
    WHERE a.site = {{site}}
    GROUP BY a.site, a.junction, a.approach
)
SELECT
    $__timeTo()::timestamptz AS "time", s.site, s.junction, s.approach, v.signs, v.message, v.says,
    CASE WHEN s.valid >= s.expected * {{good_share}} / 100.0 THEN 100.0 * s.standing / s.valid END::double precision AS value
FROM seen s
LEFT JOIN advice v USING (junction, approach)
ORDER BY 1, 2, 3, 4
