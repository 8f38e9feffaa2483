"""The ledger strip: received = stored + duplicate + rejected, or not; and what became of the rejected."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from nicegui import ui
from nicegui.elements.label import Label

from dashboards.console.state import LONG_MINUTES, SHORT_MINUTES
from dashboards.console.words import Language, advice, word
from storage.readers import LedgerRow, ReasonRow

REASONS_SHOWN = 5
TERMS = ("received", "stored", "duplicate", "rejected")


class Balance(StrEnum):
    """Whether the ledger balances; the value is the key of its word."""

    BALANCED = "balanced"
    UNBALANCED = "unbalanced"
    EMPTY = "no_messages"


class Totals(Struct, frozen=True):
    """The ledger of all sources over a window; fields as in `storage.readers.LedgerRow`."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    late: int
    lost: int
    unkept: int
    minutes: int
    unbalanced: int

    @property
    def balance(self) -> Balance:
        """Balanced only when every source balances in every minute: errors of two rows must not cancel out."""
        if self.minutes == 0:
            return Balance.EMPTY
        adds_up = self.received == self.stored + self.duplicate + self.rejected
        return Balance.BALANCED if adds_up and self.unbalanced == 0 else Balance.UNBALANCED


def totals(rows: Iterable[LedgerRow]) -> Totals:
    """Add up all sources; what one source recovered does not hide what another lost."""
    found = list(rows)
    return Totals(
        received=sum(row.received for row in found),
        stored=sum(row.stored for row in found),
        duplicate=sum(row.duplicate for row in found),
        rejected=sum(row.rejected for row in found),
        late=sum(row.late for row in found),
        lost=sum(max(0, row.lost) for row in found),
        unkept=sum(row.unkept for row in found),
        minutes=sum(row.minutes for row in found),
        unbalanced=sum(row.unbalanced for row in found),
    )


def grouped(number: int, language: Language) -> str:
    """A count with groups of three, as the language writes them."""
    text = f"{number:,}"
    return text.replace(",", ".") if language is Language.INDONESIAN else text


class LedgerStrip:
    """The strip on the page."""

    def __init__(self, language: Language) -> None:
        """Draw it empty, in the slot that is open."""
        self._language = language
        self._shown: object = None
        with ui.element("div").classes("ledger-lines"):
            self._lines = {minutes: self._line(minutes) for minutes in (SHORT_MINUTES, LONG_MINUTES)}
        with ui.element("div").classes("letters"):
            title = f"{word('dead_letters', language)} · {word('last_minutes', language, minutes=LONG_MINUTES)}"
            with ui.element("div").classes("letters-title"):
                ui.label(title)
                self._unkept = ui.label().classes("letters-unkept").props('data-testid="dead-letters-unkept"')
                self._unkept.set_visibility(False)
            self._letters = ui.element("div").classes("letters-list").props('data-testid="dead-letters"')

    def _line(self, minutes: int) -> dict[str, Label]:
        """One window: the equation, its mark, and what was lost before us."""
        mark = "" if minutes == SHORT_MINUTES else f"-{minutes}"
        labels: dict[str, Label] = {}
        with ui.element("div").classes(f"ledger-line ledger-{minutes}").props(f'data-minutes="{minutes}"'):
            ui.label(word("last_minutes", self._language, minutes=minutes)).classes("ledger-window")
            for key, sign in zip((*TERMS, "balance", "lost_upstream", "late"), ("", "=", "+", "+", "", "", ""), strict=True):
                if sign:
                    ui.label(sign).classes("ledger-sign")
                if key == "balance":
                    labels[key] = ui.label("…").classes("ledger-mark").props(f'data-testid="ledger-balance{mark}"')
                    continue
                name = key.removesuffix("_upstream")
                with ui.element("div").classes(f"ledger-term term-{name}"):
                    labels[key] = ui.label("–").classes("ledger-number").props(f'data-testid="ledger-{name}{mark}"')
                    ui.label(word(key, self._language)).classes("ledger-word")
        return labels

    def show(self, short: Totals, long: Totals, letters: Iterable[ReasonRow]) -> None:
        """Show other figures; only what changed is sent."""
        self._show_line(self._lines[SHORT_MINUTES], short)
        self._show_line(self._lines[LONG_MINUTES], long)
        self._unkept.set_visibility(long.unkept > 0)
        if self._unkept.props.get("data-value") != str(long.unkept):
            self._unkept.props["data-value"] = str(long.unkept)
            self._unkept.set_text(word("unkept", self._language, count=grouped(long.unkept, self._language)))
        top = [(row.reason, row.letters) for row in letters][:REASONS_SHOWN]
        if top != self._shown:
            self._shown = top
            self._show_letters(top)

    def _show_line(self, labels: dict[str, Label], figures: Totals) -> None:
        for key in TERMS:
            _say(labels[key], getattr(figures, key), self._language)
        _say(labels["lost_upstream"], figures.lost, self._language)
        _say(labels["late"], figures.late, self._language)
        balance = figures.balance
        text = word(balance.value, self._language)
        if balance is Balance.UNBALANCED and figures.unbalanced:
            text = f"{text}: {word('unbalanced_rows', self._language, rows=figures.unbalanced)}"
        mark = labels["balance"]
        mark.set_text({Balance.BALANCED: "✔ ", Balance.UNBALANCED: "✘ ", Balance.EMPTY: "… "}[balance] + text)
        mark.props(f'data-balance="{balance.value}"')

    def _show_letters(self, top: list[tuple[str, int]]) -> None:
        self._letters.clear()
        with self._letters:
            if not top:
                ui.label(word("no_dead_letters", self._language)).classes("letters-none")
            for reason, count in top:
                text = advice(reason, self._language)
                with ui.element("div").classes("letter").props(f'data-testid="dead-letter-{reason}"') as row:
                    ui.label(grouped(count, self._language)).classes("letter-count").props(f'data-value="{count}"')
                    ui.label(reason.replace("_", " ")).classes("letter-reason")
                    ui.label(text).classes("letter-advice")
                # Quotes inside would end the attribute.
                row.props["title"] = text


def _say(label: Label, number: int, language: Language) -> None:
    if label.props.get("data-value") != str(number):
        label.props["data-value"] = str(number)
        label.props["data-zero"] = "true" if number == 0 else "false"
        label.set_text(grouped(number, language))
