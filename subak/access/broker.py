"""Who may do what at the broker: users, access control list and password entries of mosquitto."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator

from config.dialects import NATIVE
from config.errors import ConfigError
from config.site import Device, Kind, Site
from ingest.door import Door
from ingest.registry import Registry
from ingest.topics import ROOT, STREAMS, Stream, site_filter

COLLECTOR = "subak-collector"
DISPATCHER = "subak-dispatcher"
REDRIVE = "subak-redrive"
CAMERAS = "subak-cameras"
SERVICES = (COLLECTOR, DISPATCHER, REDRIVE, CAMERAS)

# As mosquitto_passwd has them. More rounds would only slow the broker down: the passwords are random, not chosen by people.
ROUNDS = 101
SALT_BYTES = 12

_SIGN_SAYS = (Stream.STATUS, Stream.RESULT, Stream.METRICS, Stream.PRESENCE, Stream.COMMAND)


def senders(site: Site) -> dict[str, list[Device]]:
    """Who connects to the broker, and the devices it speaks for.

    A device speaks for itself, unless its dialect has a gateway in the site: a device whose address is a part of its own.
    """
    found: dict[str, list[Device]] = {}
    for device in site.devices:
        found.setdefault(_sender(site, device).id, []).append(device)
    return found


def _sender(site: Site, device: Device) -> Device:
    if device.dialect == NATIVE:
        return device
    gateways = [
        other
        for other in site.devices
        if other.dialect == device.dialect
        and other.address.items() < device.address.items()
        # A gateway that its dialect needs no address for is none for a second one that has one.
        and (other.address or other.kind is not device.kind)
    ]
    return max(gateways, key=lambda other: len(other.address), default=device)


def users(site: Site) -> list[str]:
    """Everybody who gets a credential: senders and Subak's own.

    Raises:
        ConfigError: A device of the site has the name of one of Subak's own.
    """
    found = list(senders(site))
    taken = sorted({device.id for device in site.devices} & set(SERVICES))
    if taken:
        raise ConfigError(f"{site.path}: {', '.join(taken)}: is the name of a user of Subak's own; rename the device")
    return [*found, *SERVICES]


def access_control_list(site: Site) -> str:
    """What mosquitto reads as `acl_file`; whatever it does not grant is refused."""
    return "\n".join(_lines(site)) + "\n"


def _lines(site: Site) -> Iterator[str]:
    base = f"{ROOT}/{site.name}"
    yield f"# Site {site.name}. Written by `subak access mosquitto`; write it again when the site folder has changed."
    yield "# %u is the user's name, which is the device's: unique in the site, so no device reaches another's topics. Under a kind that"
    yield "# is not its own a device may publish, and the door refuses that as unknown_device."
    for kind in Kind:
        for stream in Stream:
            if stream in STREAMS[kind] and stream is not Stream.COMMAND:
                yield f"pattern write {base}/{kind}/%u/{stream}"
    yield f"pattern read {base}/{Kind.VMS}/%u/{Stream.COMMAND}"
    yield ""
    yield "# Patterns hold for every user: for Subak's own they are taken back."
    yield f"user {COLLECTOR}"
    yield f"topic deny {base}/+/{COLLECTOR}/#"
    yield from (f"topic read {pattern}" for pattern in Door(Registry.for_site(site), site).topic_filters)
    yield ""
    yield f"user {DISPATCHER}"
    yield f"topic deny {base}/+/{DISPATCHER}/#"
    yield f"topic write {base}/{Kind.VMS}/+/{Stream.COMMAND}"
    yield from (f"topic read {base}/{Kind.VMS}/+/{stream}" for stream in _SIGN_SAYS)
    yield ""
    yield "# `subak camera run` reads pictures and speaks for cameras."
    yield f"user {CAMERAS}"
    yield f"topic deny {base}/+/{CAMERAS}/#"
    yield from (f"topic write {base}/{Kind.CCTV}/+/{stream}" for stream in (Stream.COUNTS, Stream.HEALTH))
    yield f"topic read {base}/{Kind.CCTV}/+/{Stream.FRAME}"
    yield ""
    foreign = {sender: patterns for sender, own in senders(site).items() if (patterns := _foreign(site, own))}
    yield "# `subak deadletters redrive` speaks for any device, and gives no sign a command."
    yield f"user {REDRIVE}"
    yield from (f"topic write {base}/+/+/{stream}" for stream in Stream if stream is not Stream.COMMAND)
    yield from (f"topic write {pattern}" for pattern in sorted({p for patterns in foreign.values() for p in patterns}))
    for sender, patterns in foreign.items():
        yield ""
        yield f"user {sender}"
        yield from (f"topic write {pattern}" for pattern in patterns)


def _foreign(site: Site, devices: list[Device]) -> list[str]:
    """Topics of other dialects that a sender publishes for these devices."""
    every = Registry.for_site(site)
    own = {device.id: entry for device in devices if (entry := every.named(device.id)) is not None}
    native = site_filter(site.name)
    return [pattern for pattern in Door(Registry(site.name, own, {}), site).topic_filters if pattern != native]


def password_entry(user: str, password: str, salt: bytes | None = None) -> str:
    """One line of mosquitto's `password_file`, type 7: PBKDF2 with SHA-512 (mosquitto 1.6 and newer).

    `mosquitto_passwd` is not asked: it would take the password on its command line, where every user of the machine sees it.

    Args:
        user: Its name.
        password: In clear.
        salt: Random when left out.
    """
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"{user}:$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
