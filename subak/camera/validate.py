"""`subak camera validate`: how well a camera counts, against minutes that a person has counted.

`plan` says which minutes to count and writes the form, `report` reads the filled form and says the accuracy.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from config.errors import ConfigError
from config.inventory import Camera
from config.settings import load_settings
from config.site import Site, load_site
from config.thresholds import validation_thresholds
from ingest.contract import VehicleClass
from ingest.readings import US
from processors.daylight import Daylight, daylight
from storage.counts import Counted, counted
from subak.camera.accuracy import Accuracy, Compared, Minute, accuracy, choose, needed
from subak.connected import connected

app = App(name="validate", help="How well a camera counts: which minutes to count by hand, a form, and the accuracy.")

CLASSES = tuple(kind.value for kind in VehicleClass)
COLUMNS = ("minute", "camera", "lane", "half", *CLASSES, "note")
ALL = "all"
SEED = 1

From = Annotated[datetime, Parameter(name="--from", help="First minute; without an offset it is the site's time.")]
To = Annotated[datetime, Parameter(name="--to", help="End, not included; without an offset it is the site's time.")]


@app.command
def plan(
    camera: str,
    *,
    since: From,
    until: To,
    out: Path,
    margin: float = 0.05,
    confidence: float = 0.95,
    spread: float | None = None,
    seed: int = SEED,
    site: Path | None = None,
    json: bool = False,
) -> None:
    """Choose by lot which minutes to count by hand, day and night apart, and write the form to fill in.

    Minutes without a valid count are left out, as there is nothing to compare; the command says how many they are.

    Args:
        camera: Name in the site folder.
        since: First minute.
        until: End.
        out: The form, CSV; an existing file is not overwritten.
        margin: Half the width of the interval that the accuracy shall have, as a part: 0.05 is ±5 %.
        confidence: That the interval holds the truth.
        spread: Of a minute's error, from an earlier report of this camera; else the assumption of `validation.yaml`.
        seed: Of the lot.
        site: Path of the site folder.
        json: Print one JSON object.
    """
    thresholds = validation_thresholds()
    where, its_camera = _camera(site, camera)
    rows = _counted(where, its_camera, since, until)
    minutes = [_minute(its_camera, row, row.volume) for row in rows if row.volume is not None]
    assumed = thresholds.spread.value if spread is None else spread
    counts = {}
    for half in Daylight:
        population = sum(minute.half is half for minute in minutes)
        try:
            wanted = needed(assumed, margin, confidence, population)
        except ValueError as error:
            raise ConfigError(f"camera validate plan: {error}") from error
        counts[half] = min(population, max(wanted, round(thresholds.least.value)))
    chosen = choose(minutes, counts, seed)
    if not chosen:
        raise ConfigError(
            f"camera {camera}: no final minute with counts between {since} and {until}; is its worker running, and are lanes of it in cameras.yaml?"
        )
    _write_form(out, chosen, camera, ZoneInfo(where.general.timezone))
    without = len(rows) - len(minutes)
    if json:
        summary = {
            "form": str(out),
            "minutes": {half: counts[half] for half in Daylight},
            "of": len(minutes),
            "without_counts": without,
        }
        print(msgspec.json.encode(summary).decode())
        return
    print(
        f"{out}: {counts[Daylight.DAY]} lane-minutes of day and {counts[Daylight.NIGHT]} of night, of {len(minutes)} with counts"
        f" ({without} had none and cannot be compared).\n"
        f"For ±{margin:.0%} at {confidence:.0%} confidence, if a minute's error spreads by {assumed:.2f} of its vehicles.\n"
        "Count from the recording, without looking at the camera's figures. Write 0 where none passed; leave the whole row empty\n"
        f"where the recording is missing. Then: subak camera validate report {out}"
    )


@app.command
def report(form: Path, *, confidence: float = 0.95, seed: int = SEED, site: Path | None = None, json: bool = False) -> None:
    """Compare a filled form with what the camera has counted: accuracy by class, day and night.

    Accuracy is 1 - Σ|auto - manual| / Σ manual over the counted lane-minutes, with an interval by bootstrap.

    Args:
        form: As `plan` wrote it, filled in.
        confidence: Of the interval.
        seed: Of the bootstrap.
        site: Path of the site folder.
        json: Print one JSON object.
    """
    if not 0 < confidence < 1:
        raise ConfigError(f"--confidence {confidence}: lies between 0 and 1, as 0.95")
    by_hand, empty = _read_form(form)
    cameras = {name for name, *_ in by_hand}
    if len(cameras) != 1:
        raise ConfigError(f"{form}: a form is of one camera; this one names {', '.join(sorted(cameras)) or 'none with counts'}")
    where, camera = _camera(site, cameras.pop())
    starts = [start for _, _, start in by_hand]
    rows = {
        (row.lane, row.start): row
        for row in _counted(where, camera, min(starts), datetime.fromtimestamp(max(starts).timestamp() + 60, UTC))
    }
    compared: list[Compared] = []
    lost = 0
    for (_, lane, start), manual in by_hand.items():
        row = rows.get((lane, start))
        if row is None or row.volume is None:
            lost += 1
            continue
        minute = _minute(camera, row, row.volume)
        compared += _compare(minute, row, manual)
    draws = round(validation_thresholds().draws.value)
    figures = {
        half: {
            kind: accuracy(rows_of, confidence, draws, seed)
            for kind in (ALL, *CLASSES)
            if (rows_of := [row for row in compared if row.kind == kind and half in {ALL, row.half.value}])
        }
        for half in (ALL, *(half.value for half in Daylight))
    }
    if json:
        print(
            msgspec.json.encode(
                {"camera": camera.id, "not_counted": empty, "without_counts": lost, "confidence": confidence, "accuracy": figures}
            ).decode()
        )
        return
    Console().print(_table(camera.id, figures, confidence))
    print(f"{empty} rows of the form are empty; {lost} lane-minutes have no counts of the camera (any more) and are left out.")


def _compare(minute: Minute, row: Counted, manual: dict[str, int]) -> Iterator[Compared]:
    """Vehicles of all classes together first, then class by class where the camera tells classes."""
    yield Compared(minute.lane, minute.start_us, minute.half, ALL, minute.volume, sum(manual.values()))
    for kind in CLASSES:
        auto = getattr(row, kind.lower())
        if auto is not None:
            yield Compared(minute.lane, minute.start_us, minute.half, kind, auto, manual[kind])


def _table(camera: str, figures: dict[str, dict[str, Accuracy]], confidence: float) -> Table:
    table = Table(title=f"Accuracy of {camera}")
    for heading in ("half", "class", "minutes", "by hand", "camera", "accuracy", f"{confidence:.0%} interval", "spread"):
        table.add_column(heading, justify="left" if heading in {"half", "class"} else "right")
    for half, kinds in figures.items():
        for kind, found in kinds.items():
            table.add_row(
                half,
                kind,
                str(found.minutes),
                str(found.manual),
                str(found.auto),
                "–" if found.accuracy is None else f"{found.accuracy:.1%}",
                "–" if found.low is None else f"{found.low:.1%} to {found.high:.1%}",
                "–" if found.spread is None else f"{found.spread:.2f}",
            )
    return table


def _camera(folder: Path | None, name: str) -> tuple[Site, Camera]:
    site = load_site(folder or load_settings().site)
    for camera in site.cameras:
        if camera.id == name:
            return site, camera
    raise ConfigError(f"no camera {name} in the site folder; there are: {', '.join(camera.id for camera in site.cameras)}")


def _counted(site: Site, camera: Camera, since: datetime, until: datetime) -> list[Counted]:
    zone = ZoneInfo(site.general.timezone)
    begin, end = (moment if moment.tzinfo else moment.replace(tzinfo=zone) for moment in (since, until))
    if begin >= end:
        raise ConfigError(f"--from {begin} is not before --to {end}")
    with connected() as connection:
        return counted(connection, site.general.site, camera.id, begin, end)


def _minute(camera: Camera, row: Counted, volume: int) -> Minute:
    start_us = round(row.start.timestamp() * US)
    return Minute(row.lane, start_us, daylight(*camera.position, start_us), volume)


def _write_form(out: Path, minutes: Sequence[Minute], camera: str, zone: ZoneInfo) -> None:
    try:
        with out.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for minute in minutes:
                local = datetime.fromtimestamp(minute.start_us / US, zone).isoformat(timespec="minutes")
                writer.writerow([local, camera, minute.lane, minute.half.value, *[""] * len(CLASSES), ""])
    except FileExistsError:
        raise ConfigError(f"{out} exists and may hold a person's work: give another name with --out") from None
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}") from error


def _read_form(form: Path) -> tuple[dict[tuple[str, str, datetime], dict[str, int]], int]:
    """Hand counts by camera, lane and minute, and how many rows are empty."""
    by_hand: dict[tuple[str, str, datetime], dict[str, int]] = {}
    empty = 0
    try:
        with form.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(f"{form}: not a form of `subak camera validate plan`: it has no column {', '.join(missing)}")
            for row in reader:
                place = f"{form}:{reader.line_num}"
                cells = {kind: (row[kind] or "").strip() for kind in CLASSES}
                if not any(cells.values()):
                    empty += 1
                    continue
                key = (row["camera"], row["lane"], _moment(row["minute"], place))
                if key in by_hand:
                    raise ConfigError(f"{place}: this lane-minute stands twice")
                by_hand[key] = {kind: _count(text, kind, place) for kind, text in cells.items()}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{form}: {error}") from error
    return by_hand, empty


def _moment(text: str, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{place}: minute {text!r} is no RFC 3339 time") from None
    if moment.tzinfo is None:
        raise ConfigError(f"{place}: minute {text!r} has lost its offset; write it as the form had it, 2026-11-24T08:00+08:00")
    return moment.astimezone(UTC)


def _count(text: str, kind: str, place: str) -> int:
    if not text.isdecimal():
        raise ConfigError(f"{place}: {kind} is {text!r}; write a whole number, 0 where none passed, or leave the whole row empty")
    return int(text)
