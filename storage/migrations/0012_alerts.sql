-- What is wrong, from when to when, and whether anybody was told.
CREATE TABLE subak.alert (
    alert_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id      smallint NOT NULL REFERENCES subak.site,
    rule         text NOT NULL CHECK (rule ~ '^[a-z0-9_-]+:[a-z0-9_.-]+$'),
    device_id    integer NOT NULL DEFAULT 0 REFERENCES subak.device,
    element      text NOT NULL DEFAULT '',
    audience     text NOT NULL CHECK (audience IN ('vms', 'technician', 'pipeline')),
    severity     text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    onset        timestamptz NOT NULL,
    "end"        timestamptz CHECK ("end" >= onset),
    clear_since  timestamptz,
    value        double precision,
    threshold    double precision,
    detail       text NOT NULL DEFAULT '',
    announced_at timestamptz,
    suppressed   text,
    CHECK ((announced_at IS NULL) = (suppressed IS NOT NULL))
);

-- A fault is open once, and the same onset is one fault, however often it is looked at.
CREATE UNIQUE INDEX alert_open ON subak.alert (site_id, rule, device_id, element) WHERE "end" IS NULL;
CREATE UNIQUE INDEX alert_onset ON subak.alert (site_id, rule, device_id, element, onset);
CREATE INDEX alert_time ON subak.alert (onset);

CREATE VIEW analytics.alerts AS
SELECT
    s.name AS site, a.rule, a.audience, a.severity, d.kind, d.name AS device, d.junction, a.element, a.onset, a."end",
    a.value, a.threshold, a.detail, a.announced_at, a.suppressed, a.alert_id, a.device_id
FROM subak.alert a
JOIN subak.site s USING (site_id)
LEFT JOIN subak.device d ON d.device_id = a.device_id AND a.device_id > 0;
COMMENT ON VIEW analytics.alerts IS 'What is or was wrong, with onset and end; one row a fault.';
COMMENT ON COLUMN analytics.alerts.rule IS 'What found it, then what it found: watchdog:comm_loss.';
COMMENT ON COLUMN analytics.alerts.audience IS 'Whom it concerns: vms (operators of signs), technician or pipeline.';
COMMENT ON COLUMN analytics.alerts.element IS 'Part of the device: phase:2, detector:5, lane:N1; empty when it is the whole.';
COMMENT ON COLUMN analytics.alerts.onset IS 'When it began, by the field''s time where the field tells (UTC).';
COMMENT ON COLUMN analytics.alerts."end" IS 'When it was over (UTC); NULL while it lasts.';
COMMENT ON COLUMN analytics.alerts.value IS 'What was measured when it was last looked at while it lasted; unit as in the rule''s threshold.';
COMMENT ON COLUMN analytics.alerts.threshold IS 'What the value is compared with.';
COMMENT ON COLUMN analytics.alerts.announced_at IS 'When people were told (UTC); NULL when they were not, and then suppressed says why.';
COMMENT ON COLUMN analytics.alerts.suppressed IS 'repeat: the same fault was announced a short time before; ignored: with the reason of the site''s ignore list.';

-- What controllers say of themselves is rare among their events, and is looked for every minute.
CREATE INDEX signal_event_condition ON subak.signal_event (time, device_id)
WHERE code BETWEEN 83 AND 92 OR code BETWEEN 171 AND 185;
