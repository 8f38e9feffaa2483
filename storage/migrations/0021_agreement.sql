-- How well a camera and the loop beside it agree over two hours, by class and half of the day: a measure of both.
CREATE VIEW analytics.lane_agreement AS
SELECT
    w.site, w.junction, w.approach, w.lane, w.loop_device, w.camera_device, w.start, w.class, w.daylight, w.quarters,
    w.loop_volume, w.camera_volume,
    CASE WHEN w.loop_volume > 0 THEN round(w.camera_volume::numeric / w.loop_volume, 3) END AS ratio,
    CASE
        WHEN w.loop_volume + w.camera_volume > 0
        THEN round(sqrt(2 * power((w.camera_volume - w.loop_volume) * 4.0 / w.quarters, 2)
            / ((w.camera_volume + w.loop_volume) * 4.0 / w.quarters))::numeric, 2)
    END AS geh
FROM (
    SELECT
        site, junction, approach, lane, loop_device, camera_device, start, class, daylight,
        count(*) OVER q AS quarters, sum(loop_volume) OVER q AS loop_volume, sum(camera_volume) OVER q AS camera_volume
    FROM analytics.lane_comparisons
    WHERE quality = 'good' AND loop_volume IS NOT NULL AND camera_volume IS NOT NULL
    WINDOW q AS (
        PARTITION BY site, junction, lane, loop_device, camera_device, class, daylight ORDER BY start
        RANGE BETWEEN INTERVAL '105 minutes' PRECEDING AND CURRENT ROW
    )
) AS w;
COMMENT ON VIEW analytics.lane_agreement IS 'The same lane by loop and by camera over rolling two hours of good quarters, by class, day and night.';
COMMENT ON COLUMN analytics.lane_agreement.start IS 'Begin of the newest quarter of the window (UTC).';
COMMENT ON COLUMN analytics.lane_agreement.quarters IS 'Good quarters of an hour in the window, 1 to 8.';
COMMENT ON COLUMN analytics.lane_agreement.ratio IS 'Camera over loop; NULL when the loop counted none.';
COMMENT ON COLUMN analytics.lane_agreement.geh IS 'GEH statistic of the two hourly flows; below 5 is a good match (DMRB vol. 12).';
