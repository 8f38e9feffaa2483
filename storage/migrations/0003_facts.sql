-- Bins are a pure function of readings; sums are integers so that their order does not matter.
CREATE TABLE subak.lane_1min (
    lane_id       integer NOT NULL,
    start         timestamptz NOT NULL,
    readings      integer NOT NULL,
    covered_ms    integer NOT NULL,
    volume        integer,
    occupancy_sum bigint NOT NULL,
    occupancy_ms  bigint NOT NULL,
    speed_sum     bigint NOT NULL,
    speed_volume  integer NOT NULL,
    sm            integer,
    mp            integer,
    ks            integer,
    bb            integer,
    tb            integer,
    ktb           integer,
    quality       text NOT NULL CHECK (quality ~ '^(good|partial|(suspect|imputed|missing)\([a-z0-9_:]+\))$'),
    final         boolean NOT NULL,
    revision      integer NOT NULL DEFAULT 0,
    revised_at    timestamptz NOT NULL,
    PRIMARY KEY (lane_id, start)
) {{partition by start}};

-- Tables whose rows change with every batch leave half a page free: their updates then touch no index.
-- One row per source and minute of arrival: received = stored + duplicate + rejected.
CREATE TABLE subak.ledger (
    device_id integer NOT NULL,
    minute    timestamptz NOT NULL,
    received  bigint NOT NULL,
    stored    bigint NOT NULL,
    duplicate bigint NOT NULL,
    rejected  bigint NOT NULL,
    late      bigint NOT NULL,
    lost      bigint NOT NULL,
    recovered bigint NOT NULL,
    unkept bigint NOT NULL,
    unkept_partial bigint NOT NULL,
    PRIMARY KEY (device_id, minute)
) WITH (fillfactor = 50);

CREATE INDEX ledger_minute ON subak.ledger (minute);

-- Where each stream's sequence stands; `missing` are gaps that a late message may still fill.
CREATE TABLE subak.sequence (
    device_id integer NOT NULL,
    stream    text NOT NULL,
    last_seq  bigint NOT NULL,
    last_time timestamptz NOT NULL,
    missing   int8range[] NOT NULL,
    PRIMARY KEY (device_id, stream)
) WITH (fillfactor = 50);

-- Up to where the bins of a device are final.
CREATE TABLE subak.feed (
    device_id    integer PRIMARY KEY,
    closed_until timestamptz NOT NULL
);

CREATE TABLE subak.device_state (
    device_id        integer PRIMARY KEY,
    last_received_at timestamptz NOT NULL,
    last_event_at    timestamptz,
    presence         text,
    presence_since   timestamptz
) WITH (fillfactor = 50);

-- The last batch of each writer: a commit whose answer was lost is recognised, and of two processes of one name each notices
-- that the other has written.
CREATE TABLE subak.writer (
    writer  text PRIMARY KEY,
    batch   bigint NOT NULL,
    process text NOT NULL
);
