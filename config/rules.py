"""Thresholds of the alert rules: as shipped, and what a site changes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.errors import ConfigFileError
from config.files import Strict, load
from config.thresholds import Threshold

DEFAULTS = Path(__file__).parent / "thresholds" / "rules.yaml"
SITE_FILE = "rules.yaml"


class RuleThresholds(Strict):
    """When one rule fires and when it clears.

    Attributes:
        fires: On which side of its value.
        fire: It fires beyond this.
        clear: It clears beyond this, on the other side: between the two it stays what it was.
        hold: Seconds that it must hold before people are told.
        keep: Seconds that it must be over before people are told that it is.
        values: The further numbers of the rule's query.
        off: Why this site does without the rule; None when it does not.
    """

    fires: Literal["above", "below"] = "above"
    fire: Threshold
    clear: Threshold
    hold: Threshold
    keep: Threshold
    values: dict[str, Threshold] = Field(default_factory=dict)
    off: str | None = None


class RuleChange(Strict):
    """What a site changes of one rule; what is left out stays as shipped."""

    fire: Threshold | None = None
    clear: Threshold | None = None
    hold: Threshold | None = None
    keep: Threshold | None = None
    values: dict[str, Threshold] = Field(default_factory=dict)
    off: str | None = None


class _Shipped(Strict):
    rules: dict[str, RuleThresholds]


class _Changes(Strict):
    rules: dict[str, RuleChange] = Field(default_factory=dict)


def rule_thresholds(folder: Path | None = None) -> dict[str, RuleThresholds]:
    """The thresholds of every rule, by the rule's name.

    Args:
        folder: Site folder whose `rules.yaml`, where there is one, changes what is shipped.

    Raises:
        ConfigFileError: A rule or value that does not exist, or thresholds that leave no room between them.
    """
    shipped = load(DEFAULTS, _Shipped).rules
    _check(DEFAULTS, shipped)
    path = None if folder is None else folder / SITE_FILE
    if path is None or not path.exists():
        return shipped
    changes = load(path, _Changes).rules
    problems = [f"rules.{name}: is no rule; allowed are {', '.join(sorted(shipped))}" for name in changes if name not in shipped]
    problems += [
        f"rules.{name}.values.{value}: is no value of this rule; allowed are {', '.join(sorted(shipped[name].values)) or '(none)'}"
        for name, change in changes.items()
        if name in shipped
        for value in change.values
        if value not in shipped[name].values
    ]
    if problems:
        raise ConfigFileError(path, problems)
    changed = {
        name: rule.model_copy(
            update={
                **{key: value for key, value in changes[name] if value is not None and key != "values"},
                "values": {**rule.values, **changes[name].values},
            }
        )
        if name in changes
        else rule
        for name, rule in shipped.items()
    }
    _check(path, changed)
    return changed


def _check(path: Path, rules: dict[str, RuleThresholds]) -> None:
    problems = [
        f"rules.{name}.clear: {rule.clear.value:g} must lie {'below' if rule.fires == 'above' else 'above'} fire, {rule.fire.value:g},"
        " or the alert flutters"
        for name, rule in rules.items()
        if (rule.clear.value >= rule.fire.value if rule.fires == "above" else rule.clear.value <= rule.fire.value)
    ]
    problems += [
        f"rules.{name}.{key}: {value:g} is not 0 or more seconds"
        for name, rule in rules.items()
        for key, value in (("hold", rule.hold.value), ("keep", rule.keep.value))
        if value < 0
    ]
    if problems:
        raise ConfigFileError(path, problems)
