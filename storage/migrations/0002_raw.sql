-- What the street said, as it said it: everything else is a function of these rows.
CREATE TABLE subak.lane_reading (
    lane_id     integer NOT NULL,
    start       timestamptz NOT NULL,
    seq         bigint NOT NULL,
    period_ms   integer NOT NULL,
    volume      integer,
    occupancy   integer,
    speed       integer,
    sm          integer,
    mp          integer,
    ks          integer,
    bb          integer,
    tb          integer,
    ktb         integer,
    fault       text,
    future      boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (lane_id, start, seq)
) {{partition by start}};

-- Readings longer than a bin touch several bins; there are few.
CREATE INDEX lane_reading_long ON subak.lane_reading (lane_id, start) WHERE period_ms > 60000;

CREATE TABLE subak.signal_event (
    device_id   integer NOT NULL,
    time        timestamptz NOT NULL,
    seq         bigint NOT NULL,
    ordinal     integer NOT NULL,
    code        integer NOT NULL,
    parameter   integer NOT NULL,
    future      boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (device_id, time, seq, ordinal)
) {{partition by time}};

CREATE TABLE subak.sensor_reading (
    device_id   integer NOT NULL,
    time        timestamptz NOT NULL,
    seq         bigint NOT NULL,
    metric_id   integer NOT NULL,
    value       double precision,
    future      boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (device_id, time, seq, metric_id)
) {{partition by time}};

CREATE TABLE subak.camera_health (
    device_id   integer NOT NULL,
    time        timestamptz NOT NULL,
    seq         bigint NOT NULL,
    fps         double precision,
    brightness  double precision,
    sharpness   double precision,
    frozen      boolean,
    moved       boolean,
    covered     boolean,
    frame_bytes integer,
    future      boolean NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (device_id, time, seq)
) {{partition by time}};

CREATE TABLE subak.sign_message (
    device_id     integer NOT NULL,
    time          timestamptz NOT NULL,
    seq           bigint NOT NULL,
    step          text NOT NULL,
    command       text,
    multi         text,
    crc           integer,
    priority      integer,
    lease_s       double precision,
    source_mode   text,
    outcome       text,
    error         text,
    brightness    double precision,
    faults        text[] NOT NULL,
    door_open     boolean,
    temperature_c double precision,
    future        boolean NOT NULL,
    received_at   timestamptz NOT NULL,
    PRIMARY KEY (device_id, time, seq, step)
);

CREATE TABLE subak.presence_change (
    device_id   integer NOT NULL,
    received_at timestamptz NOT NULL,
    state       text NOT NULL,
    PRIMARY KEY (device_id, received_at)
);

CREATE TABLE subak.dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at    timestamptz NOT NULL,
    device_id      integer NOT NULL,
    topic          text NOT NULL,
    payload        bytea NOT NULL,
    size           integer NOT NULL,
    reason         text NOT NULL,
    detail         text NOT NULL,
    partial        boolean NOT NULL
);

CREATE INDEX dead_letter_received ON subak.dead_letter (received_at);
