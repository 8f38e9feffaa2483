-- The same sun in a language whose calls are cheap: as SQL with subselects it took 35 µs a row, which a table of comparisons felt.
CREATE OR REPLACE FUNCTION subak.is_day(latitude double precision, longitude double precision, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    -- Sun's elevation by Spencer's series (NOAA Global Monitoring Laboratory, General Solar Position Calculations); right to
    -- about a minute, which is what processors/daylight.py, by a longer series, is tested against.
    u timestamp := moment AT TIME ZONE 'UTC';
    h double precision := extract(hour FROM u);
    m double precision := h * 60 + extract(minute FROM u);
    g double precision := 2 * pi() / 365 * (extract(doy FROM u) - 1 + (h - 12) / 24);
    e double precision := 229.18 * (0.000075 + 0.001868 * cos(g) - 0.032077 * sin(g) - 0.014615 * cos(2 * g) - 0.040849 * sin(2 * g));
    d double precision := 0.006918 - 0.399912 * cos(g) + 0.070257 * sin(g) - 0.006758 * cos(2 * g) + 0.000907 * sin(2 * g)
        - 0.002697 * cos(3 * g) + 0.00148 * sin(3 * g);
BEGIN
    RETURN sind(latitude) * sin(d) + cosd(latitude) * cos(d) * cosd((m + e + 4 * longitude) / 4 - 180) >= sind(-0.833);
END
$$;
