-- name: claim
-- The first who asks on a day of the site makes it; the row is given back if that fails.
INSERT INTO subak.lane_usual_made (made_on)
SELECT (now() AT TIME ZONE timezone)::date FROM subak.site ORDER BY site_id LIMIT 1
ON CONFLICT DO NOTHING
RETURNING made_on

-- name: forget
-- Of the days before, nothing is wanted.
DELETE FROM subak.lane_usual_made WHERE made_on < %(made_on)s

-- name: clear
-- Made anew as a whole: a lane that fell silent for weeks has no usual any more.
DELETE FROM subak.lane_usual

-- name: make
-- From the bins of 15 minutes of the weeks before today with enough good minutes; today is not its own usual.
INSERT INTO subak.lane_usual (
    lane_id, weekday, slot, samples, volume_median, speed_median, speed_p15, occupancy_median
)
SELECT
    b.lane_id,
    extract(isodow FROM b.start AT TIME ZONE s.timezone)::smallint,
    (b.start AT TIME ZONE s.timezone)::time,
    count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY b.volume),
    (percentile_cont(0.5) WITHIN GROUP (ORDER BY b.speed_sum / nullif(b.speed_volume * 10.0, 0)::float)),
    (percentile_cont(0.15) WITHIN GROUP (ORDER BY b.speed_sum / nullif(b.speed_volume * 10.0, 0)::float)),
    (percentile_cont(0.5) WITHIN GROUP (ORDER BY b.occupancy_sum / nullif(b.occupancy_ms * 100.0, 0)::float))
FROM subak.lane_15min b
JOIN subak.lane l USING (lane_id)
JOIN subak.device d USING (device_id)
JOIN subak.site s USING (site_id)
WHERE b.start >= (%(made_on)s::date - %(weeks)s * 7)::timestamp AT TIME ZONE s.timezone
  AND b.start < %(made_on)s::date::timestamp AT TIME ZONE s.timezone
  AND b.good >= %(good_minutes)s
GROUP BY 1, 2, 3
