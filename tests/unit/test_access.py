"""Credentials and rules as files: in the formats that broker and database read, and for their owner's eyes alone."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from config.errors import ConfigError
from config.settings import DEFAULT_SITE
from config.site import Site, load_site
from subak.access.broker import SERVICES, access_control_list, password_entry, senders, users
from subak.access.command import SHIPPED, database_accounts, mosquitto
from subak.access.database import roles_sql, scram_verifier

SITE = load_site(DEFAULT_SITE)


def _site_with_a_gateway() -> Site:
    """The first controller is behind the first network link, which is its gateway."""
    gateway = SITE.network_links[0].model_copy(update={"dialect": "ntcip", "address": {"gateway": "gw-1"}})
    controller = SITE.controllers[0].model_copy(update={"dialect": "ntcip", "address": {"gateway": "gw-1", "controller": 7}})
    return _changed(network_links=(gateway, *SITE.network_links[1:]), controllers=(controller, *SITE.controllers[1:]))


def _changed(**fields: object) -> Site:
    return Site.model_validate({name: getattr(SITE, name) for name in Site.model_fields} | fields)


def test_a_password_entry_is_what_mosquittos_own_tool_writes(tmp_path: Path) -> None:
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto_passwd is not installed; Debian's package mosquitto has it")
    theirs = tmp_path / "passwords"
    theirs.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", theirs, "atc-legian", "secret"], check=True, capture_output=True)
    line = theirs.read_text(encoding="utf-8").strip()
    salt = base64.b64decode(line.split("$")[3])

    assert line == password_entry("atc-legian", "secret", salt)


def test_a_scram_verifier_is_what_libpq_makes() -> None:
    """Its salt is random, so ours is made with the one that it chose."""
    libpq = psycopg.pq.PGconn.connect_start(b"host=127.0.0.1 port=1")
    theirs = libpq.encrypt_password(b"secret", b"subak_owner", b"scram-sha-256").decode()
    salt = base64.b64decode(theirs.split("$")[1].split(":")[1])

    assert theirs == scram_verifier("secret", salt)


def test_the_shipped_sample_is_the_list_of_the_first_site() -> None:
    assert access_control_list(SITE) == (SHIPPED / "mosquitto" / "acl.badung").read_text(encoding="utf-8")


def test_every_device_has_a_credential_of_its_own() -> None:
    assert sorted([*(device.id for device in SITE.devices), *SERVICES]) == sorted(users(SITE))


def test_a_gateway_speaks_for_the_devices_behind_it_with_one_credential() -> None:
    site = _site_with_a_gateway()
    gateway, controller = SITE.network_links[0].id, SITE.controllers[0].id

    assert [controller, gateway] == sorted(device.id for device in senders(site)[gateway])
    assert controller not in users(site)
    lines = access_control_list(site).splitlines()
    assert ["topic write ntcip/gw-1/#"] == lines[lines.index(f"user {gateway}") + 1 :]
    assert "topic read ntcip/gw-1/#" in lines[lines.index("user subak-collector") : lines.index("user subak-dispatcher")]


def _speaking(dialect: str, **addresses: Mapping[str, str | int]) -> Site:
    """Devices of the site, by name, with addresses in a dialect."""
    lists = ("controllers", "cameras", "signs", "network_links", "access_points", "applications")
    return _changed(
        **{
            name: tuple(
                device.model_copy(update={"dialect": dialect, "address": addresses[device.id]})
                if device.id in addresses
                else device
                for device in getattr(SITE, name)
            )
            for name in lists
        }
    )


ATC, ATC_2 = (controller.id for controller in SITE.controllers[:2])
CAMERA, CAMERA_2 = (camera.id for camera in SITE.cameras[:2])
NET, NET_2 = (link.id for link in SITE.network_links[:2])
APP, APP_2 = (application.id for application in SITE.applications[:2])


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        # Each controller connects by itself.
        (
            _speaking("rsmp4", **{ATC: {"node": "badung/1"}, ATC_2: {"node": "badung/2"}}),
            {ATC: ["badung/1/presence", "badung/1/replay/traffic.count/#", "badung/1/status/traffic.count/#"]},
        ),
        # Two servers, one without a prefix of its own; cameras belong to the one whose prefix they have.
        (
            _speaking(
                "frigate",
                **{APP: {}, APP_2: {"prefix": "north"}, CAMERA: {"camera": "a"}, CAMERA_2: {"camera": "b", "prefix": "north"}},
            ),
            {
                APP: ["frigate/a/status/detect", "frigate/available", "frigate/events", "frigate/stats"],
                APP_2: ["north/available", "north/b/status/detect", "north/events", "north/stats"],
            },
        ),
        # A node and a device behind it, both of one kind.
        (
            _speaking("sparkplug", **{NET: {"group": "g", "edge": "e"}, NET_2: {"group": "g", "edge": "e", "device": "d"}}),
            {NET: [f"spBv1.0/g/{kind}/e" for kind in ("NBIRTH", "NDATA", "NDEATH")]},
        ),
    ],
    ids=["rsmp4", "frigate", "sparkplug"],
)
def test_who_speaks_another_dialect_publishes_its_topics_alone(site: Site, expected: dict[str, list[str]]) -> None:
    lines = access_control_list(site).splitlines()
    for sender, topics in expected.items():
        begin = lines.index(f"user {sender}") + 1
        end = lines.index("", begin) if "" in lines[begin:] else len(lines)
        granted = [line.removeprefix("topic write ") for line in lines[begin:end]]
        assert set(topics) <= set(granted)
    foreign = [line for line in lines if line.startswith("user ") and "subak-" not in line]
    assert {*expected, *({ATC_2} if ATC in expected else ())} == {line.removeprefix("user ") for line in foreign}


def test_a_device_with_the_name_of_one_of_subaks_own_is_refused() -> None:
    named = SITE.network_links[0].model_copy(update={"id": "subak-collector"})

    with pytest.raises(ConfigError, match="subak-collector"):
        users(_changed(network_links=(named, *SITE.network_links[1:])))


def test_credentials_are_their_owners_alone_and_are_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mosquitto(out=tmp_path / "broker", site=DEFAULT_SITE)
    database_accounts(out=tmp_path / "database", analyst=("sri",))

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}
    assert {0o700} == {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_dir()}
    passwords = {path.read_text(encoding="utf-8").strip() for path in files if path.suffix == ".password"}
    assert len(SITE.devices) + len(SERVICES) + 5 == len(passwords)
    told = "".join(capsys.readouterr())
    written = "".join(path.read_text(encoding="utf-8") for path in files if path.parent.name != "credentials")
    assert [] == [password for password in passwords if password in told or password in written]


def test_credentials_stay_until_they_are_renewed(tmp_path: Path) -> None:
    def credentials() -> dict[str, str]:
        return {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "credentials").iterdir()}

    device = SITE.devices[0].id
    mosquitto(out=tmp_path, site=DEFAULT_SITE)
    first = credentials()
    mosquitto(out=tmp_path, site=DEFAULT_SITE)
    assert first == credentials()

    mosquitto(out=tmp_path, site=DEFAULT_SITE, renew=(device,))
    assert {f"{device}.password"} == {name for name, text in credentials().items() if text != first[name]}


def test_what_cannot_be_renewed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="atc-nobody"):
        mosquitto(out=tmp_path, site=DEFAULT_SITE, renew=("atc-nobody",))
    with pytest.raises(ConfigError, match="subak_nobody"):
        database_accounts(out=tmp_path, renew=("subak_nobody",))


@pytest.mark.parametrize("name", ["subak_reader", "subak_owner", "Sri", 'sri"; --', ""])
def test_an_analysts_account_needs_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--analyst"):
        database_accounts(out=tmp_path, analyst=(name,))


def test_roles_hold_verifiers_and_no_password() -> None:
    names = ["subak_owner", "subak_pipeline", "subak_grafana", "subak_console"]
    text = roles_sql("subak", dict.fromkeys(names, "in-clear"))

    assert "in-clear" not in text
    assert len(names) == text.count("SCRAM-SHA-256$")
