"""The library of approved messages: what signs of a site may show without further asking."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.errors import ConfigFileError
from config.files import Strict, load
from config.inventory import Code, Name
from config.multi import misfit
from config.site import Site

SITE_FILE = "messages.yaml"


class Meaning(Strict):
    """What a message says, in both languages of the operators."""

    id: str
    en: str


class Message(Strict):
    """One approved message.

    Attributes:
        id: Its name.
        multi: What the sign shows (NTCIP 1203 MULTI).
        means: The same in plain words, for the operator.
        rules: Alert rules that it answers.
        junctions: Junctions that it speaks of; none: any.
        approach: Approach of that junction that it speaks of; None: any.
    """

    id: Name
    multi: Annotated[str, Field(min_length=1, max_length=1024)]
    means: Meaning
    rules: tuple[str, ...] = ()
    junctions: tuple[Name, ...] = ()
    approach: Code | None = None


class _Library(Strict):
    approved_by: str
    date: date
    messages: tuple[Message, ...] = ()


def approved_messages(site: Site) -> tuple[Message, ...]:
    """The approved messages of a site, none when it has no library.

    Raises:
        ConfigFileError: A message does not fit one of the site's signs, speaks of an unknown junction, or its name stands twice.
    """
    path: Path = site.path / SITE_FILE
    if not path.exists():
        return ()
    messages = load(path, _Library).messages
    names = [message.id for message in messages]
    problems = [
        f"messages: {name!r} stands twice; names must be unique" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    for message in messages:
        problems += [
            f"{message.id}.multi: does not fit {sign.id}: {reason}"
            for sign in site.signs
            if (reason := misfit(message.multi, sign.columns, sign.rows, sign.pages))
        ]
        problems += [
            f"{message.id}.junctions: {name!r} is no junction" for name in message.junctions if name not in site.junction
        ]
    if problems:
        raise ConfigFileError(path, problems)
    return messages


def fitting(messages: tuple[Message, ...], rule: str, junction: str, approach: str) -> Message | None:
    """The message that answers a rule at an approach; one that names the place before one that does not."""
    found = [
        message
        for message in messages
        if rule in message.rules
        and (not message.junctions or junction in message.junctions)
        and message.approach in {None, approach}
    ]
    return max(found, key=lambda message: (message.approach is not None, bool(message.junctions)), default=None)
