-- What boards look back on: the ledger by hours, what was changed in the site folder, how the pipeline kept up.

-- A year of the ledger is millions of minutes. Its hours are kept by whatever statement changes minutes, in the same transaction, and
-- by what it adds or takes away: a minute that comes late, is corrected or is dropped takes no other path.
CREATE TABLE subak.ledger_1h (
    device_id      integer NOT NULL,
    start          timestamptz NOT NULL,
    minutes        integer NOT NULL,
    unbalanced     integer NOT NULL,
    received       bigint NOT NULL,
    stored         bigint NOT NULL,
    duplicate      bigint NOT NULL,
    rejected       bigint NOT NULL,
    late           bigint NOT NULL,
    lost           bigint NOT NULL,
    recovered      bigint NOT NULL,
    unkept         bigint NOT NULL,
    unkept_partial bigint NOT NULL,
    PRIMARY KEY (device_id, start)
) WITH (fillfactor = 70);
CREATE INDEX ledger_1h_start ON subak.ledger_1h (start);

-- Hours in the order of their keys: two writers that share a device wait for each other and never both at once.
CREATE FUNCTION subak.keep_ledger_1h() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO subak.ledger_1h AS h
        SELECT
            device_id, date_bin('1 hour', minute, 'epoch'), count(*), count(*) FILTER (WHERE received <> stored + duplicate + rejected),
            sum(received), sum(stored), sum(duplicate), sum(rejected), sum(late), sum(lost), sum(recovered), sum(unkept), sum(unkept_partial)
        FROM after
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (device_id, start) DO UPDATE SET
            minutes = h.minutes + excluded.minutes, unbalanced = h.unbalanced + excluded.unbalanced,
            received = h.received + excluded.received, stored = h.stored + excluded.stored, duplicate = h.duplicate + excluded.duplicate,
            rejected = h.rejected + excluded.rejected, late = h.late + excluded.late, lost = h.lost + excluded.lost,
            recovered = h.recovered + excluded.recovered, unkept = h.unkept + excluded.unkept,
            unkept_partial = h.unkept_partial + excluded.unkept_partial;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO subak.ledger_1h AS h
        SELECT
            device_id, date_bin('1 hour', minute, 'epoch'), sum(sign),
            coalesce(sum(sign) FILTER (WHERE received <> stored + duplicate + rejected), 0),
            sum(sign * received), sum(sign * stored), sum(sign * duplicate), sum(sign * rejected), sum(sign * late), sum(sign * lost),
            sum(sign * recovered), sum(sign * unkept), sum(sign * unkept_partial)
        FROM (SELECT 1 AS sign, a.* FROM after a UNION ALL SELECT -1, b.* FROM before b) changes
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (device_id, start) DO UPDATE SET
            minutes = h.minutes + excluded.minutes, unbalanced = h.unbalanced + excluded.unbalanced,
            received = h.received + excluded.received, stored = h.stored + excluded.stored, duplicate = h.duplicate + excluded.duplicate,
            rejected = h.rejected + excluded.rejected, late = h.late + excluded.late, lost = h.lost + excluded.lost,
            recovered = h.recovered + excluded.recovered, unkept = h.unkept + excluded.unkept,
            unkept_partial = h.unkept_partial + excluded.unkept_partial;
        DELETE FROM subak.ledger_1h WHERE minutes = 0 AND (device_id, start) IN (SELECT device_id, date_bin('1 hour', minute, 'epoch') FROM before);
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE subak.ledger_1h h SET
            minutes = h.minutes - b.minutes, unbalanced = h.unbalanced - b.unbalanced, received = h.received - b.received,
            stored = h.stored - b.stored, duplicate = h.duplicate - b.duplicate, rejected = h.rejected - b.rejected, late = h.late - b.late,
            lost = h.lost - b.lost, recovered = h.recovered - b.recovered, unkept = h.unkept - b.unkept,
            unkept_partial = h.unkept_partial - b.unkept_partial
        FROM (
            SELECT
                device_id, date_bin('1 hour', minute, 'epoch') AS start, count(*) AS minutes,
                count(*) FILTER (WHERE received <> stored + duplicate + rejected) AS unbalanced, sum(received) AS received,
                sum(stored) AS stored, sum(duplicate) AS duplicate, sum(rejected) AS rejected, sum(late) AS late, sum(lost) AS lost,
                sum(recovered) AS recovered, sum(unkept) AS unkept, sum(unkept_partial) AS unkept_partial
            FROM before GROUP BY 1, 2
        ) b
        WHERE h.device_id = b.device_id AND h.start = b.start;
        DELETE FROM subak.ledger_1h WHERE minutes = 0 AND (device_id, start) IN (SELECT device_id, date_bin('1 hour', minute, 'epoch') FROM before);
    ELSE
        TRUNCATE subak.ledger_1h;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION subak.keep_ledger_1h IS 'Brings the hours of the ledger up to its minutes, by what a statement changed of them.';
REVOKE EXECUTE ON FUNCTION subak.keep_ledger_1h FROM PUBLIC;

CREATE TRIGGER keep_1h_insert AFTER INSERT ON subak.ledger REFERENCING NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION subak.keep_ledger_1h();
CREATE TRIGGER keep_1h_update AFTER UPDATE ON subak.ledger REFERENCING OLD TABLE AS before NEW TABLE AS after
FOR EACH STATEMENT EXECUTE FUNCTION subak.keep_ledger_1h();
CREATE TRIGGER keep_1h_delete AFTER DELETE ON subak.ledger REFERENCING OLD TABLE AS before
FOR EACH STATEMENT EXECUTE FUNCTION subak.keep_ledger_1h();
CREATE TRIGGER keep_1h_truncate AFTER TRUNCATE ON subak.ledger
FOR EACH STATEMENT EXECUTE FUNCTION subak.keep_ledger_1h();

-- The minutes that are there already; the triggers' lock keeps others out until this commits.
INSERT INTO subak.ledger_1h
SELECT
    device_id, date_bin('1 hour', minute, 'epoch'), count(*), count(*) FILTER (WHERE received <> stored + duplicate + rejected),
    sum(received), sum(stored), sum(duplicate), sum(rejected), sum(late), sum(lost), sum(recovered), sum(unkept), sum(unkept_partial)
FROM subak.ledger
GROUP BY 1, 2;

CREATE VIEW analytics.ledger_1h AS
SELECT
    s.name AS site, d.kind, d.name AS device, h.start, h.minutes, h.unbalanced, h.received, h.stored, h.duplicate, h.rejected,
    h.late, h.lost, h.recovered, h.unkept, h.unkept_partial, h.device_id
FROM subak.ledger_1h h
JOIN subak.device d USING (device_id)
LEFT JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.ledger_1h IS 'Messages per source and hour of arrival: sums of the minutes of analytics.ledger.';
COMMENT ON COLUMN analytics.ledger_1h.start IS 'Begin of the hour (UTC).';
COMMENT ON COLUMN analytics.ledger_1h.minutes IS 'Minutes of the hour in which anything of the source was counted (at most 60).';
COMMENT ON COLUMN analytics.ledger_1h.unbalanced IS 'Of them, minutes in which received <> stored + duplicate + rejected; must be 0.';
COMMENT ON COLUMN analytics.ledger_1h.received IS 'Messages; and so the next ones.';
COMMENT ON COLUMN analytics.ledger_1h.late IS 'Of the stored: messages whose bin was final already.';
COMMENT ON COLUMN analytics.ledger_1h.lost IS 'Messages that the sequence numbers show were sent and had not arrived: lost upstream.';
COMMENT ON COLUMN analytics.ledger_1h.recovered IS 'Messages counted as lost earlier that arrived after all; lost - recovered is missing for good.';
COMMENT ON COLUMN analytics.ledger_1h.unkept IS 'Of the rejected: messages beyond the device''s budget, of which no dead letter was kept.';
COMMENT ON COLUMN analytics.ledger_1h.unkept_partial IS 'Dead letters of parts of messages beyond the budget, not kept.';

-- The site as it was last brought into the database, one row a thing: what the next one is compared with.
CREATE TABLE subak.config_item (
    site_id smallint NOT NULL REFERENCES subak.site,
    kind    text NOT NULL,
    element text NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (site_id, kind, element)
);

CREATE TABLE subak.config_change (
    config_change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id          smallint NOT NULL REFERENCES subak.site,
    changed_at       timestamptz NOT NULL,
    changed_by       text NOT NULL,
    kind             text NOT NULL,
    element          text NOT NULL,
    change           text NOT NULL CHECK (change IN ('begun', 'added', 'changed', 'removed')),
    fields           text[] NOT NULL,
    before           jsonb,
    after            jsonb
);
CREATE INDEX config_change_at ON subak.config_change (changed_at);

CREATE VIEW analytics.config_changes AS
SELECT s.name AS site, c.changed_at, c.changed_by, c.kind, c.element, c.change, c.fields, c.before, c.after
FROM subak.config_change c
JOIN subak.site s USING (site_id);
COMMENT ON VIEW analytics.config_changes IS 'What was changed of a site''s configuration, written when a program brings its folder into the database.';
COMMENT ON COLUMN analytics.config_changes.changed_at IS 'When the change took effect in the database (UTC), not when the file was edited.';
COMMENT ON COLUMN analytics.config_changes.changed_by IS 'Account of the operating system that ran the program that brought it in.';
COMMENT ON COLUMN analytics.config_changes.kind IS 'junction, link, corridor, controller, camera, sign, sensor, rule, thresholds and others; site for the folder as a whole.';
COMMENT ON COLUMN analytics.config_changes.element IS 'Name of the thing in the folder.';
COMMENT ON COLUMN analytics.config_changes.change IS 'added, changed or removed; begun when the site was brought in for the first time.';
COMMENT ON COLUMN analytics.config_changes.fields IS 'Of what was changed: the keys whose values differ.';
COMMENT ON COLUMN analytics.config_changes.before IS 'As it was (JSON); NULL when it was not there.';
COMMENT ON COLUMN analytics.config_changes.after IS 'As it is since (JSON); NULL when it is not there any more.';

-- One row a writer and minute, written with the first transaction after the minute; what a process had not written when it was
-- killed is not there, which is not zero.
CREATE TABLE subak.pipeline_minute (
    writer             text NOT NULL,
    minute             timestamptz NOT NULL,
    batches            integer NOT NULL,
    messages           bigint NOT NULL,
    ack_delay_sum_ms   bigint NOT NULL,
    ack_delay_max_ms   integer NOT NULL,
    transaction_sum_ms bigint NOT NULL,
    transaction_max_ms integer NOT NULL,
    lag_max_ms         bigint,
    PRIMARY KEY (writer, minute)
);
CREATE INDEX pipeline_minute_minute ON subak.pipeline_minute (minute);

CREATE VIEW analytics.pipeline_minutes AS
SELECT
    p.writer, p.minute, p.batches, p.messages,
    p.ack_delay_sum_ms / nullif(p.messages, 0)::double precision AS ack_delay_mean_ms, p.ack_delay_max_ms,
    p.transaction_sum_ms / nullif(p.batches, 0)::double precision AS transaction_mean_ms, p.transaction_max_ms,
    p.lag_max_ms / 1000.0::double precision AS lag_max_s
FROM subak.pipeline_minute p;
COMMENT ON VIEW analytics.pipeline_minutes IS 'How the pipeline kept up, per writer and minute; a minute without messages has no row.';
COMMENT ON COLUMN analytics.pipeline_minutes.writer IS 'The process that wrote: the client id, with a number where there are several workers.';
COMMENT ON COLUMN analytics.pipeline_minutes.minute IS 'Begin of the minute in which the batches were acknowledged (UTC).';
COMMENT ON COLUMN analytics.pipeline_minutes.batches IS 'Batches of messages that were committed and acknowledged.';
COMMENT ON COLUMN analytics.pipeline_minutes.messages IS 'Messages in them.';
COMMENT ON COLUMN analytics.pipeline_minutes.ack_delay_mean_ms IS 'From receipt to acknowledgement, mean of the messages (ms).';
COMMENT ON COLUMN analytics.pipeline_minutes.ack_delay_max_ms IS 'From receipt to acknowledgement, the slowest message (ms).';
COMMENT ON COLUMN analytics.pipeline_minutes.transaction_mean_ms IS 'From begin to commit of a batch''s transaction with its retries, mean (ms).';
COMMENT ON COLUMN analytics.pipeline_minutes.transaction_max_ms IS 'From begin to commit of a batch''s transaction with its retries, the slowest (ms).';
COMMENT ON COLUMN analytics.pipeline_minutes.lag_max_s IS 'How far the final minutes of the slowest feed were behind the clock when the row was written (s).';
