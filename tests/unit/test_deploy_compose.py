"""`compose.yaml` fits the specification, and what it names exists. No container engine is needed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from compose_spec import PyCompose
from ruamel.yaml import YAML

from config.settings import SECRETS, Settings
from ingest.camera.asking import SOCKET
from subak.access.command import SHIPPED
from subak.camera.run import STATE
from subak.cli import app

FILE = SHIPPED / "compose.yaml"
TEXT = FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "subak"}
KNOWN = {f"SUBAK_{name.upper()}" for name in Settings.model_fields} | {f"SUBAK_{name.upper()}_FILE" for name in SECRETS}


def test_it_fits_the_specification_of_compose() -> None:
    read = PyCompose.from_json(re.sub(r"\$\{SUBAK_SITE_FOLDER:-([^}]+)\}", r"\1", json.dumps(COMPOSE)))
    assert sorted(SERVICES) == sorted(read.service_names())


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_runs_a_command_that_exists_with_variables_that_exist(name: str) -> None:
    service = OURS[name]
    command, _, _ = app.parse_args([str(word) for word in service["command"]], print_error=False, exit_on_error=False)
    assert command.__module__.startswith("subak.")
    environment = service["environment"]
    assert set() == set(environment) - KNOWN
    given = {value.removeprefix("/run/secrets/") for value in environment.values() if value.startswith("/run/secrets/")}
    assert set(service["secrets"]) == given


def test_secrets_are_files_and_stand_nowhere_else() -> None:
    wanted = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert set(COMPOSE["secrets"]) == wanted
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())
    assert not re.search(r"://[^\s/]*:[^\s/]*@", TEXT)
    assert not re.search(
        r"(?i)password[\w ]*[:=] *[\"']?\w{8,}",
        re.sub(r"(?m)^.*(/run/secrets/|secrets: ).*$", "", TEXT).replace("scram-sha-256", ""),
    )


def test_nothing_but_the_field_listener_is_reachable_from_elsewhere() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports.pop("broker") == ["8883:8883"]
    assert ports
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_what_it_mounts_is_shipped_or_a_secret() -> None:
    mounts = [volume.rsplit(":", 2) for service in SERVICES.values() for volume in service.get("volumes", ())]
    ours = [re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", parts[0]) for parts in mounts if len(parts) == 3 and "secrets/" not in parts[0]]
    assert ours
    assert [] == [path for path in ours if not (FILE.parent / path).exists()]
    named = {parts[0] for parts in mounts if len(parts) == 2}
    assert set(COMPOSE["volumes"]) == named


def test_every_service_that_stays_says_whether_it_is_healthy_and_images_are_pinned() -> None:
    assert {"migrate"} == {name for name, service in SERVICES.items() if "healthcheck" not in service}
    foreign = [service["image"] for service in SERVICES.values() if service["image"] != "subak"]
    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in foreign)


def test_the_camera_worker_is_healthy_while_its_door_answers() -> None:
    assert f"'{STATE}/{SOCKET}'" in SERVICES["cameras"]["healthcheck"]["test"][-1]


def test_the_container_is_built_from_what_is_shipped() -> None:
    build = SERVICES["collector"]["build"]
    containerfile = (FILE.parent / build["context"] / build["dockerfile"]).resolve()
    assert containerfile == (SHIPPED / "Containerfile").resolve()
    assert 'ENTRYPOINT ["subak"]' in containerfile.read_text(encoding="utf-8")


def test_the_broker_needs_but_one_change_of_its_shipped_configuration() -> None:
    (script,) = [word for word in SERVICES["broker"]["command"] if "sed" in str(word)]
    pattern = re.search(r"sed 's/\^(.*?)\$\$/(.*?)/'", script)
    assert pattern is not None
    shipped = (SHIPPED / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    assert 1 == len(re.findall(rf"^{pattern[1]}$", shipped, re.MULTILINE))
