-- Rollups of final 1-minute bins, kept by the writer in the transaction that closes or revises the minute.
CREATE TABLE subak.lane_15min (
    lane_id       integer NOT NULL,
    start         timestamptz NOT NULL,
    minutes       bigint NOT NULL,
    good          bigint NOT NULL,
    partial       bigint NOT NULL,
    suspect       bigint NOT NULL,
    imputed       bigint NOT NULL,
    missing       bigint NOT NULL,
    covered_ms    bigint NOT NULL,
    volume        bigint,
    occupancy_sum bigint NOT NULL,
    occupancy_ms  bigint NOT NULL,
    speed_sum     bigint NOT NULL,
    speed_volume  bigint NOT NULL,
    sm            bigint,
    mp            bigint,
    ks            bigint,
    bb            bigint,
    tb            bigint,
    ktb           bigint,
    revision      bigint NOT NULL,
    PRIMARY KEY (lane_id, start)
);
CREATE TABLE subak.lane_1h (LIKE subak.lane_15min INCLUDING ALL);
CREATE TABLE subak.lane_1d (LIKE subak.lane_15min INCLUDING ALL);
