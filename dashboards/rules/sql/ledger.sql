-- Minutes of any source in which received was not stored + duplicate + rejected.
SELECT $__timeTo()::timestamptz AS "time", s.site, count(g.minute)::double precision AS value
FROM analytics.sites s
LEFT JOIN analytics.ledger g
    ON (g.site = s.site OR g.site IS NULL) AND NOT g.balanced AND $__timeFilter(g.minute)
    AND g.minute > $__timeTo()::timestamptz - {{window}} * INTERVAL '1 minute'
WHERE s.site = {{site}}
GROUP BY s.site
ORDER BY 1, 2
