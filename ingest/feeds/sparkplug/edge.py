"""What has to be known of an edge node's earlier messages: its session, its aliases, and where its sequence stands."""

from __future__ import annotations

SEQUENCE = 256  # seq is 0 to 255 and wraps
BEHIND = 128  # a number further ahead is one that comes late
MOST_METRICS = 10_000  # of one birth certificate; bounds what a sender can make us remember


class Born:
    """What a birth certificate says: names and data types by which later messages are read.

    Attributes:
        names: Metric name by alias.
        types: Data type by metric name.
    """

    __slots__ = ("names", "types")

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.types: dict[str, int] = {}


class Edge:
    """One edge node; made by the door with its routes, and lost with it.

    Attributes:
        bd_seq: Number of the birth and death certificates of the present session.
        born: Birth certificates by Sparkplug device; the node's own under an empty name.
    """

    __slots__ = ("_last", "_owed", "_told", "bd_seq", "born")

    def __init__(self) -> None:
        self.bd_seq: int | None = None
        self.born: dict[str, Born] = {}
        self._last: int | None = None
        self._owed = 0
        self._told: dict[int, int] = {}

    def begin(self, bd_seq: int | None) -> None:
        """A new session: everything is announced anew."""
        self.bd_seq = bd_seq
        self.born.clear()
        self._last = None

    def end(self) -> None:
        """The session is over."""
        self.born.clear()
        self._last = None

    def follow(self, seq: int, source: int | None) -> int | None:
        """Follow the node's one sequence over the messages of all its devices.

        Returns:
            A number for the message that rises without wrapping and by one a message of that device, and by one more for each
            message of the node that is missing before it: so what is lost is counted once, at the device that showed it.

        Args:
            seq: The message's number, 0 to 255.
            source: Device number; None for a device that the site folder does not have.
        """
        ahead = 1 if self._last is None else (seq - self._last) % SEQUENCE
        if not 0 < ahead <= BEHIND:
            # The same once more, or one that was overtaken.
            return None if source is None else self._told.get(source, 0)
        self._last = seq
        self._owed += ahead - 1
        if source is None:
            return None
        told = self._told.get(source, 0) + 1
        if told > 1:
            # A device's first number has nothing to be compared with: what is missing is shown by the next one.
            told += self._owed
            self._owed = 0
        self._told[source] = told
        return told
