"""Passwords come from the environment or from files, and stand in nothing that a person may read over a shoulder."""

from __future__ import annotations

import asyncio
import io
import logging
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from config.errors import ConfigError
from config.settings import Settings, load_settings
from ingest.mqtt.address import Address
from tests.support.pipelines import Program

PASSWORD = "Rahasia-7c1e"  # noqa: S105 - of nobody
MQTT = f"mqtt://door:{PASSWORD}@127.0.0.1:1"
DATABASE = f"postgresql://door:{PASSWORD}@127.0.0.1:1/subak"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MQTT_URL", "DATABASE_URL", "MQTT_CA_FILE"):
        monkeypatch.delenv(f"SUBAK_{name}", raising=False)
        monkeypatch.delenv(f"SUBAK_{name}_FILE", raising=False)


def test_a_secret_is_read_from_the_file_that_is_named_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text(f"{MQTT}\n", encoding="utf-8")
    (tmp_path / "database").write_text(DATABASE, encoding="utf-8")
    monkeypatch.setenv("SUBAK_MQTT_URL_FILE", str(tmp_path / "mqtt"))
    monkeypatch.setenv("SUBAK_DATABASE_URL_FILE", str(tmp_path / "database"))

    settings = load_settings()

    assert (MQTT, DATABASE) == (settings.mqtt_url.get_secret_value(), settings.database_url.get_secret_value())


def test_the_command_line_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SUBAK_MQTT_URL_FILE", str(tmp_path / "is-not-there"))

    assert "mqtt://other" == load_settings(mqtt_url="mqtt://other").mqtt_url.get_secret_value()


@pytest.mark.parametrize(
    ("content", "also", "said"),
    [
        (None, None, "No such file"),
        (b"", None, "is empty"),
        (b"\n", None, "is empty"),
        (b"\xff\xfe", None, "is not UTF-8"),
        (MQTT.encode(), MQTT, "SUBAK_MQTT_URL is set too"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, also: str | None, said: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SUBAK_MQTT_URL_FILE", str(path))
    if also:
        monkeypatch.setenv("SUBAK_MQTT_URL", also)

    with pytest.raises(ConfigError, match="SUBAK_MQTT_URL_FILE") as told:
        load_settings()
    assert said in str(told.value)
    assert PASSWORD not in str(told.value)


# A slash or an @ in a password that is not percent-encoded is the usual slip.
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SUBAK_MQTT_URL", f"mqtt://door:{PASSWORD}/more@127.0.0.1:1883"),
        ("SUBAK_MQTT_URL", f"http://door:{PASSWORD}@127.0.0.1"),
        ("SUBAK_MQTT_URL", f"mqtt://door:{PASSWORD}@127.0.0.1:{PASSWORD}"),
        ("SUBAK_DATABASE_URL", f"postgresql://door:{PASSWORD}%zz@127.0.0.1/subak"),
        ("SUBAK_DATABASE_URL", f"postgresql://door:{PASSWORD}/more@127.0.0.1/subak"),
        ("SUBAK_DATABASE_URL", f"postgresql://door:a@{PASSWORD}@127.0.0.1/subak"),
        ("SUBAK_DATABASE_URL", f"host=127.0.0.1 password='{PASSWORD}"),
        ("SUBAK_DATABASE_URL", PASSWORD),
    ],
)
def test_a_malformed_url_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigError, match=variable) as told:
        Address.of(load_settings())
    assert PASSWORD not in str(told.value)
    assert told.value.__cause__ is None


def test_settings_and_addresses_hide_the_password_however_they_are_shown() -> None:
    settings = Settings.model_validate({"mqtt_url": MQTT, "database_url": DATABASE})
    shown = io.StringIO()
    Console(file=shown).print(settings, Address.of(settings), [Address.of(settings)])

    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(Address.of(settings)), shown.getvalue()):
        assert PASSWORD not in text


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_file_of_certificates_that_cannot_be_used_is_named_before_anything_is_connected(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match="SUBAK_MQTT_CA_FILE"):
        Address.of(Settings.model_validate({"mqtt_url": "mqtts://broker", "mqtt_ca_file": path}))


def test_host_names_are_checked_with_a_private_authority_too() -> None:
    context = Address.parse("mqtts://broker").ssl_context()

    assert context is not None
    assert context.check_hostname


def test_a_logged_stack_trace_has_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    import structlog

    from subak import logs

    before: dict[str, Any] = structlog.get_config()
    try:
        logs.configure(logging.INFO)
        try:
            _fails_with(DATABASE)
        except ValueError:
            structlog.get_logger("test").exception("failed")
    finally:
        structlog.configure(**before)

    told = capsys.readouterr().err
    assert "ValueError" in told
    assert PASSWORD not in told


def _fails_with(url: str) -> None:
    raise ValueError(len(url))


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["run"], {"SUBAK_MQTT_URL": MQTT, "SUBAK_DATABASE_URL": DATABASE}),
        (["run"], {"SUBAK_MQTT_URL": MQTT, "SUBAK_DATABASE_URL": f"postgresql://door:{PASSWORD}/x@127.0.0.1:1/subak"}),
        (["run"], {"SUBAK_MQTT_URL": f"mqtt://door:{PASSWORD}/x@127.0.0.1", "SUBAK_DATABASE_URL": DATABASE}),
        (["migrate"], {"SUBAK_DATABASE_URL": DATABASE}),
        (["verify", "ledger"], {"SUBAK_DATABASE_URL": DATABASE}),
        (["doctor"], {"SUBAK_MQTT_URL": MQTT, "SUBAK_DATABASE_URL": DATABASE}),
        (["record", "{folder}/tape", "--mqtt-url", MQTT], {}),
    ],
)
def test_a_failing_start_does_not_tell_the_password(tmp_path: Path, arguments: list[str], environment: dict[str, str]) -> None:
    with Program(tmp_path / "log", [part.format(folder=tmp_path) for part in arguments], **environment) as program:
        assert 0 != program.wait(30)

    assert program.log.strip()
    assert "Traceback" not in program.log
    assert PASSWORD not in program.log


def test_a_collector_that_cannot_connect_logs_the_address_alone(caplog: pytest.LogCaptureFixture) -> None:
    from ingest.collector import Collector
    from ingest.door import Door
    from ingest.registry import Registry
    from tests.support.pipelines import SITE

    async def try_a_while() -> None:
        collector = Collector(
            Address.parse(MQTT),
            client_id="c",
            topic_filters=["#"],
            admit=Door(Registry.for_site(SITE), SITE).admit,
            receive_maximum=1,
            session_expiry_s=60,
        )
        task = asyncio.create_task(collector.run())
        await asyncio.wait([task], timeout=0.5)
        task.cancel()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(try_a_while())
    assert PASSWORD not in caplog.text
