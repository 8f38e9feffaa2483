"""Who is told of alerts, and how. Secrets and addresses of machines stand in the environment, never here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from config.files import Strict, load

SITE_FILE = "contacts.yaml"


class Receiver(Strict):
    """One way of telling people.

    Attributes:
        type: `email`; `webhook`, signed by HMAC; or `telegram`.
        addresses: For `email`.
    """

    type: Literal["email", "webhook", "telegram"]
    addresses: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.type == "email") != bool(self.addresses):
            raise ValueError("addresses: an email needs them, and nothing else takes them")
        return self


_NOBODY = (Receiver(type="email", addresses=("alerts@localhost",)),)


class Contacts(Strict):
    """`contacts.yaml`: receivers of each audience, and the language they are told in."""

    language: Literal["id", "en"] = "id"
    vms: tuple[Receiver, ...] = _NOBODY
    technician: tuple[Receiver, ...] = _NOBODY
    pipeline: tuple[Receiver, ...] = _NOBODY

    def of(self, audience: str) -> tuple[Receiver, ...]:
        """Receivers of one audience."""
        return {"vms": self.vms, "technician": self.technician, "pipeline": self.pipeline}[audience]


def load_contacts(folder: Path) -> Contacts:
    """The contacts of a site folder.

    Raises:
        ConfigFileError: The file does not fit.
    """
    path = folder / SITE_FILE
    return load(path, Contacts) if path.exists() else Contacts()
