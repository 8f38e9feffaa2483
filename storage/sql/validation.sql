-- name: counted
-- Final lane-minutes of one camera, with and without counts.
SELECT detector, start, volume, sm, mp, ks, bb, tb, ktb, quality
FROM analytics.lane_1min
WHERE site = %(site)s AND kind = 'cctv' AND device = %(camera)s AND final AND start >= %(since)s AND start < %(until)s
ORDER BY start, detector
