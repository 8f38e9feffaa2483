-- What came late by the hand of another process, such as an import: the one that measures the controller takes the rows away.
CREATE TABLE subak.signal_late (
    signal_late_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id      integer NOT NULL,
    since          timestamptz NOT NULL,
    until          timestamptz NOT NULL
);
CREATE INDEX signal_late_device ON subak.signal_late (device_id);
