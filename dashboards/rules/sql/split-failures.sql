-- Cycles in a row, up to the newest, in which a phase did not serve its queue.
WITH advice (junction, approach, signs, message, says) AS (
    VALUES {{advice}}
),
cycles AS (
    SELECT
        c.site, c.junction, c.phase, c.split_failure,
        row_number() OVER (PARTITION BY c.site, c.junction, c.phase ORDER BY c.start DESC) AS back
    FROM analytics.signal_cycles c
    WHERE $__timeFilter(c.start) AND c."end" <= $__timeTo()::timestamptz
      AND c.start >= $__timeTo()::timestamptz - {{window}} * INTERVAL '1 minute'
      AND c.quality IN ('good', 'partial') AND c.split_failure IS NOT NULL AND c.site = {{site}}
),
rows AS (
    SELECT site, junction, phase, coalesce(min(back) FILTER (WHERE NOT split_failure) - 1, count(*)) AS failures
    FROM cycles
    GROUP BY site, junction, phase
)
SELECT
    $__timeTo()::timestamptz AS "time", a.site, a.junction, a.approach, a.phase::text AS phase, v.signs, v.message, v.says,
    r.failures::double precision AS value
FROM analytics.approaches a
LEFT JOIN rows r USING (site, junction, phase)
LEFT JOIN advice v USING (junction, approach)
WHERE a.site = {{site}}
ORDER BY 1, 2, 3, 4
