-- Share of an approach's lane-minutes in which traffic stands, over its last final minutes.
WITH edge AS (
    SELECT until, until - {{window}} * INTERVAL '1 minute' AS since
    FROM (SELECT date_trunc('minute', $__timeTo()::timestamptz - {{settle}} * INTERVAL '1 second') AS until) t
),
advice (junction, approach, signs, message, says) AS (
    VALUES {{advice}}
),
lanes AS (
    SELECT
        a.site, a.junction, a.approach, l.lane_id,
        count(*) FILTER (WHERE b.start >= e.since AND b.quality IN ('good', 'partial') AND b.occupancy IS NOT NULL) AS valid,
        count(*) FILTER (
            WHERE b.start >= e.since AND b.quality IN ('good', 'partial')
                AND b.occupancy >= {{occupancy}} AND coalesce(b.speed, 0) <= {{speed}}
        ) AS standing,
        count(*) FILTER (WHERE b.start >= e.since AND b.quality = 'suspect(locked_on)') AS locked,
        count(*) FILTER (WHERE b.quality IN ('good', 'partial')) AS sound
    FROM analytics.approaches a
    JOIN analytics.lanes l ON l.site = a.site AND l.junction = a.junction AND l.approach = a.approach AND l.kind = 'atc' AND l.active
    CROSS JOIN edge e
    LEFT JOIN analytics.lane_1min b ON b.lane_id = l.lane_id AND b.final AND b.start < e.until AND $__timeFilter(b.start)
    WHERE a.site = {{site}}
    GROUP BY a.site, a.junction, a.approach, l.lane_id
),
-- Occupied all the time with nothing counted: a queue that does not move at all, or a detector that is stuck. It is taken for
-- traffic where the same lane has been seen to stand in a valid minute, or where several lanes of the approach that were sound
-- minutes ago are so together; a stuck detector was not sound and has no company.
believed AS (
    SELECT
        site, junction, approach, valid, standing,
        CASE
            WHEN standing > 0 THEN locked
            WHEN sound > 0
                AND count(*) FILTER (WHERE locked > 0 AND sound > 0) OVER (PARTITION BY site, junction, approach) >= {{together}}
            THEN locked
            ELSE 0
        END AS locked
    FROM lanes
),
seen AS (
    SELECT
        site, junction, approach, count(*) * {{window}} AS expected, sum(valid + locked) AS valid, sum(standing + locked) AS standing
    FROM believed
    GROUP BY site, junction, approach
)
SELECT
    $__timeTo()::timestamptz AS "time", s.site, s.junction, s.approach, v.signs, v.message, v.says,
    CASE WHEN s.valid >= s.expected * {{good_share}} / 100.0 THEN 100.0 * s.standing / s.valid END::double precision AS value
FROM seen s
LEFT JOIN advice v USING (junction, approach)
ORDER BY 1, 2, 3, 4
