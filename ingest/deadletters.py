"""Making dead letters that are safe to store and plain to read."""

from __future__ import annotations

from ingest.readings import DeadLetter
from ingest.reasons import Reason

PAYLOAD_KEPT = 1 << 20  # bytes of a payload; no message of ours is larger
PICTURE_KEPT = 16  # bytes: enough to see what kind of file it was, too few to show anything
DETAIL_KEPT = 500  # characters

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"\x00\x00\x00")


def dead_letter(
    source: int, topic: str, payload: bytes, received_us: int, reason: Reason, detail: str, *, partial: bool = False
) -> DeadLetter:
    """A dead letter whose texts PostgreSQL can hold and which keeps no picture of a street.

    Args:
        source: Device number, 0 when the topic belongs to no known device.
        topic: As received.
        payload: As received; at most 1 MiB is kept, and of pictures only the first 16 bytes, since nothing that shows
            a face or a plate may be stored.
        received_us: When the door saw it.
        reason: Why.
        detail: What exactly, for a technician.
        partial: The rest of the message became facts.
    """
    kept = PICTURE_KEPT if payload.startswith(_PICTURES) or topic.endswith("/frame") else PAYLOAD_KEPT
    return DeadLetter(
        source=source,
        topic=plain(topic, len(topic)),
        payload=payload if len(payload) <= kept else payload[:kept],
        size=len(payload),
        reason=reason.value,
        detail=plain(detail, DETAIL_KEPT),
        partial=partial,
        received_us=received_us,
    )


def plain(text: str, limit: int) -> str:
    """`text` without control characters and lone surrogates (shown as U+FFFD), at most `limit` characters long."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
