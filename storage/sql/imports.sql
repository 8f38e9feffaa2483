-- name: imported
-- Events that an import added to some devices.
SELECT count(*)
FROM subak.signal_event
WHERE device_id = ANY (%(devices)s) AND time BETWEEN subak.at(%(first_us)s) AND subak.at(%(last_us)s)
    AND received_at BETWEEN subak.at(%(since_us)s) AND subak.at(%(until_us)s) AND seq < 0
