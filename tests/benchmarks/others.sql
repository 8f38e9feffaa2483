-- name: has
-- Whether they were made already.
SELECT EXISTS (SELECT FROM subak.presence_change)

-- name: presence_change
-- Each device was away about once a week of a year, for an hour or two.
INSERT INTO subak.presence_change
SELECT device_id, w + (device_id * 37 % 160) * INTERVAL '1 hour' + k * (1 + device_id % 2) * INTERVAL '1 hour', (ARRAY['offline', 'online'])[k + 1]
FROM subak.device, generate_series(now() - INTERVAL '365 days', now() - INTERVAL '8 days', INTERVAL '7 days') AS w, (VALUES (0), (1)) AS v (k)
WHERE device_id > 0

-- name: alert
-- Eight a day over a year, for a quarter of an hour each.
INSERT INTO subak.alert (site_id, rule, device_id, element, audience, severity, onset, "end", value, threshold, detail, announced_at)
SELECT d.site_id, 'watchdog:comm_loss', d.device_id, '', 'technician', 'warning', t, t + INTERVAL '15 minutes', 300, 120, 'no message for 5 min', t
FROM generate_series(now() - INTERVAL '365 days', now() - INTERVAL '1 hour', INTERVAL '3 hours') AS t
JOIN subak.device d ON d.device_id = 1 + (extract(epoch FROM t)::bigint / 10800) % 40

-- name: dead_letter
-- Two hundred a day over thirty days.
INSERT INTO subak.dead_letter (received_at, device_id, topic, payload, size, reason, detail, partial)
SELECT t, 1 + n % 40, 'subak/v1/badung/atc/x/detectors', '', 100, (ARRAY['not_json', 'unknown_lane', 'out_of_range'])[1 + n % 3], '', false
FROM generate_series(1, 6000) AS n, LATERAL (SELECT now() - n * INTERVAL '432 seconds') AS s (t)

-- name: camera_condition
-- A change every two hours over a year.
INSERT INTO subak.camera_condition (device_id, time, condition, detail, future, received_at)
SELECT device_id, t, (ARRAY['ok', 'glare', 'ok', 'night', 'ok', 'moved'])[1 + (extract(epoch FROM t)::bigint / 7200 + device_id) % 6], '', false, t
FROM subak.device, generate_series(now() - INTERVAL '365 days', now(), INTERVAL '2 hours') AS t
WHERE kind = 'cctv'

-- name: camera_health
-- A report a minute over the ninety days that are kept.
INSERT INTO subak.camera_health (device_id, time, seq, fps, brightness, sharpness, frozen, moved, covered, frame_bytes, future, received_at)
SELECT device_id, t, extract(epoch FROM t)::bigint, 10 + random(), 90 + 40 * random(), 200 + 100 * random(), false, false, false, NULL, false, t
FROM subak.device, generate_series(date_trunc('minute', now()) - INTERVAL '90 days', now(), INTERVAL '1 minute') AS t
WHERE kind = 'cctv'

-- name: sign_message
-- What signs show, a report a minute over a year; another message every half an hour.
INSERT INTO subak.sign_message
SELECT
    device_id, t, extract(epoch FROM t)::bigint, 'status', NULL, (ARRAY['', 'ANTREAN[nl]DI DEPAN', 'ARUS PADAT'])[1 + (extract(epoch FROM t)::bigint / 1800 + device_id) % 3],
    1, 30, NULL, 'central', NULL, NULL, 60 + 20 * random(), '{}', false, 31, false, t
FROM subak.device, generate_series(date_trunc('minute', now()) - INTERVAL '365 days', now(), INTERVAL '1 minute') AS t
WHERE kind = 'vms'

-- name: sensor_reading
-- Three metrics of each network link, access point and application every 30 s over the ninety days that are kept.
INSERT INTO subak.sensor_reading
SELECT d.device_id, t, extract(epoch FROM t)::bigint, m.metric_id, 10 + 20 * random(), false, t
FROM generate_series(date_trunc('minute', now()) - INTERVAL '90 days', now(), INTERVAL '30 seconds') AS t
CROSS JOIN subak.device d
JOIN (VALUES
    ('net', 'latency_ms'), ('net', 'loss_percent'), ('net', 'temperature_c'), ('wifi', 'latency_ms'), ('wifi', 'loss_percent'),
    ('wifi', 'clients'), ('app', 'latency_ms'), ('app', 'requests_per_s'), ('app', 'error_percent')
) AS k (kind, name) ON k.kind = d.kind
JOIN subak.metric m ON m.name = k.name

-- name: signal_cycle
-- Four phases of each controller, a cycle of 90 s with six vehicles, over thirty of the four hundred days that are kept.
INSERT INTO subak.signal_cycle (
    device_id, phase, start, green, yellow, "end", programmed_s, termination, green_occupancy, red_occupancy, split_failure,
    arrivals, arrivals_on_green, arrival_ms, arrival_detectors, quality, segment, revision, revised_at)
SELECT
    d.device_id, p.phase, t, t + INTERVAL '50 s', t + INTERVAL '86 s', t + INTERVAL '90 s', 42,
    (ARRAY['gap_out', 'max_out', 'force_off'])[1 + extract(minute FROM t)::int % 3], 0.9, 0.5, p.phase = 2,
    6, 3, ARRAY[5000, 20000, 55000, 60000, 70000, 88000], ARRAY[1, 1, 1, 1, 1, 1], 'good', date_bin('15 minutes', t, 'epoch'), 0, t
FROM generate_series(date_trunc('minute', now()) - INTERVAL '30 days', now() - INTERVAL '2 minutes', INTERVAL '90 seconds') AS t
CROSS JOIN (VALUES (2), (4), (6), (8)) AS p (phase)
JOIN subak.device d ON d.kind = 'atc'

-- name: lane_reading
-- Readings of 10 s of all lanes over two hours.
INSERT INTO subak.lane_reading
SELECT lane_id, t, extract(epoch FROM t)::bigint, 10000, 2, 750, 310, 2, 0, 0, 0, 0, 0, NULL, false, t + INTERVAL '10.2 seconds' + random() * INTERVAL '1 second'
FROM generate_series(date_trunc('minute', now()) - INTERVAL '2 hours', now(), INTERVAL '10 seconds') AS t, subak.lane
WHERE active

-- name: pipeline_minute
-- Of one writer over a year.
INSERT INTO subak.pipeline_minute
SELECT 'subak-collector', t, 1200, 2000, 80000, 90 + (random() * 60)::integer, 30000, 60 + (random() * 40)::integer, 70000
FROM generate_series(date_trunc('minute', now()) - INTERVAL '365 days', now(), INTERVAL '1 minute') AS t
