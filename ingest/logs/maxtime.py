"""MaxTime logs, XML: `<EventResponse>` with a `<Description>` and one `<Event …/>` an event, times local.

Read by its tags and not as a document, so that what comes after a damaged place is kept, and no entity is ever expanded.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from zoneinfo import ZoneInfo

import numpy as np

from ingest.logs import CODE_MOST, PARAMETER_MOST, Log, LogError, Part, shown
from ingest.logs.localtime import clock_us, localize

FORM = "MaxTime XML"
MARK = b"<EventResponse"
_EVENT = re.compile(rb"<Event\s([^<>]*)(>?)")
_ATTRIBUTE = re.compile(rb"(\w+)\s*=\s*[\"']([^\"']*)[\"']")
_DESCRIBED = re.compile(rb"<(IntersectionNumber|IP)>([^<]{1,64})</")
_TIME = re.compile(rb"(\d{1,2})-(\d{1,2})-(\d{4}) (\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d{1,6})?)$")
_NUMBER = re.compile(rb"-?\d{1,10}$")


def decode(name: str, content: bytes, zone: ZoneInfo) -> Log:
    """Read a log.

    Raises:
        LogError: It holds no event.
    """
    local: list[int] = []
    codes: list[int] = []
    parameters: list[int] = []
    places: list[int] = []
    problems: list[str] = []
    for tag in _EVENT.finditer(content):
        place = tag.start()
        attributes = dict(_ATTRIBUTE.findall(tag[1]))
        time = _TIME.match(attributes.get(b"TimeStamp", b""))
        code, parameter = (_NUMBER.match(attributes.get(key, b"")) for key in (b"EventTypeID", b"Parameter"))
        if not tag[2] or time is None or code is None or parameter is None or not _fits(int(code[0]), int(parameter[0])):
            problems.append(f"{name}, byte {place}: no whole event: {tag[0][:120].decode('utf-8', 'replace')}")
            continue
        month, day, year, hour, minute = (int(group) for group in time.groups()[:5])
        try:
            local.append(clock_us(year, month, day, hour, minute, float(time[6])))
        except ValueError as error:
            problems.append(f"{name}, byte {place}: {time[0].decode()} is no date and time: {error}")
            continue
        codes.append(int(code[0]))
        parameters.append(int(parameter[0]))
        places.append(place)
    if not local and not problems:
        raise LogError(f"{name}: a {FORM} log without any event")
    if not content.rstrip().endswith(b"</EventResponses>") and not content.rstrip().endswith(b"</EventResponse>"):
        problems.append(f"{name} is cut off: its last tag is missing; the {len(local):,} events before that are kept")
    time_us, unreal = localize(np.array(local, np.int64), zone)
    problems += [
        f"{name}, byte {places[index]}: this local time does not exist in {zone.key}; give --timezone of the controller"
        for index in np.flatnonzero(unreal)
    ]
    part = Part(time_us[~unreal], np.array(codes, np.int64)[~unreal], np.array(parameters, np.int64)[~unreal])
    called = [text.decode("utf-8", "replace").strip() for _, text in _DESCRIBED.findall(content[:4096])]
    called += PurePath(name).stem.split("_")
    return Log(FORM, tuple(dict.fromkeys(text for text in called if text)), {"": part}, shown(problems))


def _fits(code: int, parameter: int) -> bool:
    return 0 <= code <= CODE_MOST and abs(parameter) <= PARAMETER_MOST
