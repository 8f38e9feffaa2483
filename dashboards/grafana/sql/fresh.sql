-- name: fresh_junction
-- Age of the newest valid minute at the junction, and the share of good minutes in the range.
SELECT {{fresh}} AS fresh FROM (
    SELECT
        now() - (
            SELECT max(n.start) + interval '1 minute' FROM analytics.lanes l
            CROSS JOIN LATERAL (
                SELECT m.start FROM analytics.lane_1min m
                WHERE m.lane_id = l.lane_id AND m.start > now() - interval '1 day' AND m.start > {{day_before}} AND m.volume IS NOT NULL AND m.final
                ORDER BY m.start DESC LIMIT 1) n
            WHERE l.kind = 'atc' AND l.site = ${site:sqlstring} AND l.junction = ${junction:sqlstring}) AS age,
        (SELECT 100.0 * sum(b.good) / nullif(sum(b.minutes), 0) FROM ({{bins_junction}}) b) AS share) f

-- name: fresh_site
-- Age of the newest valid minute of any loop, and the share of good minutes of the newest quarter of an hour.
SELECT {{fresh}} AS fresh FROM (
    SELECT
        now() - max(n.start) FILTER (WHERE n.volume IS NOT NULL) - interval '1 minute' AS age,
        100.0 * count(*) FILTER (WHERE n.quality = 'good') / nullif(count(*), 0) AS share
    FROM analytics.lane_1min n
    WHERE n.kind = 'atc' AND n.site = ${site:sqlstring} AND n.final AND n.start > now() - interval '17 minutes' AND n.start > {{day_before}}) f

-- name: fresh_history
-- Age of the newest finished hour at the junction, and the share of good minutes in the range.
SELECT {{fresh}} AS fresh FROM (
    SELECT
        now() - (
            SELECT max(n.start) + interval '1 hour' FROM analytics.lanes l
            CROSS JOIN LATERAL (
                SELECT m.start FROM analytics.lane_1h m
                WHERE m.lane_id = l.lane_id AND m.start > now() - interval '8 days' AND m.start <= now() - interval '1 hour'
                ORDER BY m.start DESC LIMIT 1) n
            WHERE l.kind = 'atc' AND l.site = ${site:sqlstring} AND l.junction = ${junction:sqlstring}) AS age,
        (SELECT 100.0 * sum(b.good) / nullif(sum(b.minutes), 0) FROM ({{bins_junction}}) b) AS share) f

-- name: fresh_signals
-- Age of the newest controller event at the junction; good are events with a trusted clock.
SELECT {{fresh}} AS fresh FROM (
    SELECT now() - max(e.time) AS age, 100.0 * count(*) FILTER (WHERE NOT e.future) / nullif(count(*), 0) AS share
    FROM analytics.signal_events e
    WHERE e.site = ${site:sqlstring} AND e.junction = ${junction:sqlstring} AND e.time > now() - interval '1 hour' AND e.time > {{day_before}}) f

-- name: fresh_cameras
-- Age of the newest health report of any camera; good are cameras that see: neither frozen, moved nor covered.
SELECT {{fresh}} AS fresh FROM (
    SELECT now() - max(h.at) AS age,
        100.0 * count(*) FILTER (WHERE h.at > now() - interval '3 minutes' AND NOT h.blind) / nullif(count(*), 0) AS share
    FROM (
        SELECT d.device, n.time AS at, coalesce(n.frozen OR n.moved OR n.covered, false) AS blind
        FROM analytics.devices d
        LEFT JOIN LATERAL (
            SELECT c.time, c.frozen, c.moved, c.covered FROM analytics.camera_health c
            WHERE c.device_id = d.device_id AND c.fps IS NOT NULL AND c.time > now() - interval '1 day' AND c.time > {{day_before}} ORDER BY c.time DESC LIMIT 1) n ON true
        WHERE d.site = ${site:sqlstring} AND d.kind = 'cctv' AND d.active) h) f

-- name: fresh_signs
-- Age of the newest report of any sign; good are signs that report without a fault.
SELECT {{fresh}} AS fresh FROM (
    SELECT now() - max(s.at) AS age,
        100.0 * count(*) FILTER (WHERE s.presence = 'online' AND s.faults = 0) / nullif(count(*), 0) AS share
    FROM (
        SELECT d.presence, n.time AS at, coalesce(cardinality(n.faults), 0) AS faults
        FROM analytics.devices d
        LEFT JOIN LATERAL (
            SELECT m.time, m.faults FROM analytics.sign_messages m
            WHERE m.device_id = d.device_id AND m.step = 'status' ORDER BY m.time DESC LIMIT 1) n ON true
        WHERE d.site = ${site:sqlstring} AND d.kind = 'vms' AND d.active) s) f

-- name: fresh_devices
-- Age of the newest message of any device; good are devices heard within three of their periods, at least half a minute.
SELECT {{fresh}} AS fresh FROM (
    SELECT now() - max(d.last_received_at) AS age,
        100.0 * count(*) FILTER (
            WHERE d.presence IS DISTINCT FROM 'offline' AND d.presence IS DISTINCT FROM 'shutdown'
                AND d.last_received_at > now() - greatest(3 * coalesce(d.period_s, 60), 30) * interval '1 second')
            / nullif(count(*), 0) AS share
    FROM analytics.devices d
    WHERE d.site = ${site:sqlstring} AND d.active) f

-- name: fresh_sensors
-- The same for network links, access points and applications.
SELECT {{fresh}} AS fresh FROM (
    SELECT now() - max(d.last_received_at) AS age,
        100.0 * count(*) FILTER (
            WHERE d.presence IS DISTINCT FROM 'offline' AND d.presence IS DISTINCT FROM 'shutdown'
                AND d.last_received_at > now() - greatest(3 * coalesce(d.period_s, 60), 30) * interval '1 second')
            / nullif(count(*), 0) AS share
    FROM analytics.devices d
    WHERE d.site = ${site:sqlstring} AND d.active AND d.kind IN ('net', 'wifi', 'app')) f

-- name: fresh_ledger
-- Age of the newest message, and the share of messages that were neither rejected nor double in the last quarter of an hour.
SELECT {{fresh}} AS fresh FROM (
    SELECT
        now() - (SELECT max(d.last_received_at) FROM analytics.devices d) AS age,
        (SELECT 100.0 * sum(g.stored) / nullif(sum(g.received), 0) FROM analytics.ledger g WHERE g.minute > now() - interval '15 minutes') AS share) f
