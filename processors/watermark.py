"""Event-time watermark of each feed: up to where its readings have surely come.

It follows the field's time, and goes on with the wall clock while the feed is silent, so that a dead device cannot keep
its minutes open. Readings dated in the future never move it.
"""

from __future__ import annotations

from msgspec import Struct

from processors.bins import BIN_US

GAP_US = 24 * 60 * BIN_US  # silence further back than this leaves no rows: it was not observed that nothing came


class _Feed(Struct):
    latest_us: int
    heard_us: int
    closed_until_us: int
    new: bool


class Watermarks:
    """Watermarks of all devices that count, and which of their minutes are final."""

    def __init__(self, lateness_us: int, idle_us: int) -> None:
        """Make it empty.

        Args:
            lateness_us: How long after its end a minute waits for readings, in event time.
            idle_us: Silence after which the wall clock alone rules.
        """
        self._lateness_us = lateness_us
        self._idle_us = idle_us
        self._feeds: dict[int, _Feed] = {}

    def open(self, device: int, closed_until_us: int | None, now_us: int) -> None:
        """Resume a feed whose minutes before `closed_until_us` are final, or begin one that was never heard (None)."""
        begin = now_us // BIN_US * BIN_US if closed_until_us is None else closed_until_us
        self._feeds[device] = _Feed(begin, now_us, begin, new=closed_until_us is None)

    def hear(self, device: int, start_us: int, end_us: int, received_us: int) -> None:
        """A reading of that period, not in the future, came at `received_us`."""
        feed = self._feeds[device]
        if feed.new:
            # The history of a feed begins with its first reading, even if that is older than our start.
            feed.new = False
            feed.closed_until_us = min(feed.closed_until_us, start_us // BIN_US * BIN_US)
            feed.latest_us = end_us
        elif end_us > feed.latest_us:
            feed.latest_us = end_us
        feed.heard_us = max(feed.heard_us, received_us)

    def begin(self, device: int, start_us: int) -> None:
        """A reading from `start_us` on that ends in the future came: it moves nothing, but history does not begin after it.

        Else the minutes of a new feed before our start would be final without ever having been closed.
        """
        feed = self._feeds[device]
        if feed.new:
            feed.closed_until_us = min(feed.closed_until_us, start_us // BIN_US * BIN_US)

    def value(self, device: int, now_us: int, *, live: bool = True) -> int:
        """The watermark of `device`, µs of event time.

        Args:
            device: Its number.
            now_us: The wall clock.
            live: What arrives is fresh. While a backlog is read, silence means nothing: the device's messages may be
                further back in the queue.
        """
        feed = self._feeds[device]
        silent = max(0, now_us - feed.heard_us) if live else 0
        following = feed.latest_us + silent
        if silent > self._idle_us:
            following = max(following, now_us - self._idle_us)
        return min(following, max(now_us, feed.latest_us)) - self._lateness_us

    def closed_until(self, device: int) -> int:
        """Minutes that begin before this are final."""
        return self._feeds[device].closed_until_us

    def due(self, now_us: int, most: int, *, live: bool = True) -> list[tuple[int, int]]:
        """Device-minutes that the watermark has passed and that are not final yet, at most `most`; see `value` for `live`."""
        found: list[tuple[int, int]] = []
        for device, feed in self._feeds.items():
            end = self.value(device, now_us, live=live) // BIN_US * BIN_US
            if live and feed.closed_until_us >= feed.latest_us:
                feed.closed_until_us = max(feed.closed_until_us, (now_us - GAP_US) // BIN_US * BIN_US)
            found.extend((device, minute) for minute in range(feed.closed_until_us, end, BIN_US))
            if len(found) >= most:
                return found[:most]
        return found

    def close(self, device: int, minute_us: int) -> None:
        """The minute that begins at `minute_us` is final now."""
        feed = self._feeds[device]
        feed.closed_until_us = max(feed.closed_until_us, minute_us + BIN_US)
        feed.new = False
