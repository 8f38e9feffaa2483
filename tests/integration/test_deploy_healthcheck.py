"""The broker's healthcheck of `compose.yaml`, asked of a real mosquitto with the shipped configuration."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from subak.access.command import SHIPPED
from tests.support.access import GuardedBroker
from tests.support.parts import MOSQUITTO, Book
from tests.support.pipelines import SITE


def test_the_brokers_healthcheck_tells_a_broker_that_answers_from_one_that_does_not(book: Book, tmp_path: Path) -> None:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed; Debian's package mosquitto-clients has it")
    with book.getting(MOSQUITTO):
        broker = GuardedBroker(tmp_path, SITE.path)
    compose = YAML(typ="safe").load(SHIPPED / "compose.yaml")
    kind, command = compose["services"]["broker"]["healthcheck"]["test"]
    moved = command.replace("/etc/mosquitto/subak/ca.crt", str(broker.authority.certificate)).replace(
        "-p 8884", f"-p {broker.service_port}"
    )
    assert kind == "CMD-SHELL"
    assert moved.count(str(broker.service_port)) == 1

    def status() -> int:
        return subprocess.run(["sh", "-c", moved], check=False, capture_output=True, timeout=30).returncode

    with broker.running():
        assert 0 == status()
    assert 0 != status()
