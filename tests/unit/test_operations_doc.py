"""docs/operations.md knows every metric, every line of the log and every reason there is, and no other metric."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from ingest.reasons import Reason
from subak.metrics import Metrics
from tests.unit.test_metrics import Broker

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SOURCES = [*(ROOT / "ingest").rglob("*.py"), *(ROOT / "storage").rglob("*.py"), *(ROOT / "subak").glob("*.py")]


def test_it_names_every_metric_and_no_other() -> None:
    metrics = Metrics()
    metrics.watch(Broker(), list)
    families = list(text_string_to_metric_families(metrics.exposition().decode()))
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}

    assert names == set(re.findall(r"\bsubak_[a-z_]+\b", TEXT))


def test_it_names_every_event_of_the_log() -> None:
    events = {event for path in SOURCES for event in re.findall(r'log\.\w+\(\s*"([a-z_.]+)"', path.read_text(encoding="utf-8"))}

    assert set() == {event for event in events if f"`{event}`" not in TEXT}


@pytest.mark.parametrize("reason", Reason)
def test_it_gives_every_reasons_advice(reason: Reason) -> None:
    assert f"| `{reason.value}` | {reason.advice} |" in TEXT


def test_its_alerts_are_rules_of_prometheus() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    rules = YAML(typ="safe").load(block)["groups"][0]["rules"]

    assert [True] * len(rules) == [{"alert", "expr"} <= set(rule) for rule in rules]
