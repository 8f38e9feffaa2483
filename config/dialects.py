"""Dialects that devices may speak, and how a site says where such a device is found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from config.files import Strict, load

CATALOGUE = Path(__file__).parent / "dialects.yaml"

NATIVE = "native"

AddressValue = Annotated[str, Field(pattern=r"^[^\s+#/\x00]+(/[^\s+#/\x00]+)*$", max_length=200)] | Annotated[int, Field(ge=0)]
"""A name, number or path in a foreign topic; no wildcards, since they would make one device answer for others."""

Address = dict[str, AddressValue]

Keys = dict[str, Literal["required", "optional"]]


class Spoken(Strict):
    """What all devices have that can be spoken to.

    Attributes:
        dialect: Folder of `ingest/feeds` that decodes its messages.
        address: How the device is called in topics and payloads of that dialect; `native` needs none.
    """

    dialect: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$", max_length=32)] = NATIVE
    address: Address = Field(default_factory=dict)


class _Dialects(Strict):
    dialects: dict[str, dict[str, Keys]]


@cache
def dialects(path: Path = CATALOGUE) -> Mapping[str, Mapping[str, Keys]]:
    """Address keys by dialect and kind of device.

    Raises:
        ConfigFileError: The catalogue is missing or wrong.
    """
    return load(path, _Dialects).dialects


def dialect_problems(device: str, kind: str, dialect: str, address: Address) -> list[str]:
    """What is wrong with what a site says of one device's dialect: key, value and what is allowed."""
    known = dialects()
    kinds = known.get(dialect)
    if kinds is None:
        return [f"{device}.dialect: {dialect!r} is no dialect; allowed are {', '.join(known)}"]
    keys = kinds.get(kind)
    if keys is None:
        speaks = ", ".join(name for name, of in known.items() if kind in of)
        return [f"{device}.dialect: {dialect!r} is not spoken by kind {kind}; allowed are {speaks}"]
    allowed = ", ".join(keys) or "none"
    return [
        *(
            f"{device}.address.{key}: is no key of dialect {dialect} for kind {kind}; allowed: {allowed}"
            for key in address
            if key not in keys
        ),
        *(
            f"{device}.address.{key}: is missing; dialect {dialect} finds the device by it"
            for key, need in keys.items()
            if need == "required" and key not in address
        ),
    ]
