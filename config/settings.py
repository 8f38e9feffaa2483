"""Settings of one process, from the environment (`SUBAK_…`), files of secrets and the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.errors import ConfigError
from config.secrets import PREFIX, secrets_from_files

DEFAULT_SITE = Path(__file__).parent / "sites" / "badung"

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """What differs between installations; what differs between sites stands in the site folder.

    Attributes:
        mqtt_url: `mqtt://[user:password@]host:port` of the broker (MQTT 5), `mqtts://` for TLS.
        mqtt_ca_file: Certificates of the authorities to trust for `mqtts://`, PEM; by default those of the machine.
        database_url: libpq URL of the database, as a role that may write.
        site: Path of the site folder.
        client_id: MQTT client id of the collector; its session at the broker hangs on it.
        session_expiry_s: How long the broker keeps the session while the collector is away.
        keep_alive_s: Silence after which the broker is asked whether it is there; after one and a half, it is not.
        receive_maximum: Messages the broker may have in flight to the collector: the bound of its memory.
        batch_messages: Messages in one transaction at most.
        batch_delay_s: Transactions begin no closer to each other than this while messages are few.
        transaction_most_s: A transaction that takes longer is given up and tried again on a new connection.
        lateness_s: A bin is closed this long after its end, in event time.
        idle_s: A feed silent for longer no longer holds its watermark back.
        signal_step_s: Signals are measured once in this many seconds of the even clock; divides 15 minutes.
        camera_health_s: A camera worker says so often how each camera is; a change it says at once.
        camera_credentials: Users and passwords of network cameras, lines `NAME user:password` (config/credentials.py).
        future_tolerance_s: Event time ahead of the clock by more is flagged.
        dead_letters_per_minute: Dead letters kept of one device and reason in one minute; the rest is only counted.
        retention_days: Days kept, by kind; 0 keeps for ever.
        metrics_host: Address that metrics, health and readiness are served on.
        metrics_port: Port of them; 0 serves none.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    mqtt_url: SecretStr = SecretStr("mqtt://127.0.0.1:1883")
    mqtt_ca_file: Path | None = None
    database_url: SecretStr = SecretStr("postgresql://127.0.0.1:5432/subak")
    site: Path = DEFAULT_SITE
    client_id: Annotated[str, Field(min_length=1, max_length=64)] = "subak-collector"
    session_expiry_s: Annotated[int, Field(ge=60, le=2**32 - 2)] = 7 * 86_400
    keep_alive_s: Annotated[int, Field(ge=1, le=3600)] = 20
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 20_000
    batch_messages: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    batch_delay_s: Annotated[float, Field(ge=0, le=10)] = 0.05
    transaction_most_s: Seconds = 60.0
    lateness_s: Seconds = 10.0
    idle_s: Seconds = 90.0
    signal_step_s: Annotated[float, Field(ge=1, le=900)] = 30.0
    camera_health_s: Annotated[float, Field(ge=0.5, le=60)] = 10.0
    camera_credentials: SecretStr = SecretStr("")
    future_tolerance_s: Seconds = 5.0
    dead_letters_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    retention_days: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=lambda: {
            "lane_reading": 90,
            "signal_event": 90,
            "sensor_reading": 90,
            "camera_health": 90,
            "camera_condition": 730,
            "camera_event": 730,
            "turning_count": 730,
            "sign_message": 3650,
            "dead_letter": 30,
            "ledger": 730,
            "lane_1min": 730,
            "signal_measure": 730,
            "signal_cycle": 400,
            "signal_interval": 90,
            "alert": 730,
            "pipeline_minute": 730,
        }
    )
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 9464

    @field_validator("database_url")
    @classmethod
    def _parses(cls, value: SecretStr) -> SecretStr:
        """Errors of libpq repeat what they cannot use: of a URL cut in the wrong place, parts of the password."""
        try:
            parts = conninfo_to_dict(value.get_secret_value())
        except psycopg.ProgrammingError:
            parts = {"port": "none"}
        ports = str(parts.get("port") or "").split(",")
        if not all(port.isdecimal() or not port for port in ports) or "@" in str(parts.get("host") or ""):
            raise ValueError(
                "must be postgresql://[user[:password]@]host[:port]/database, special characters in it percent-encoded"
            )
        return value


SECRETS = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]
"""Settings that may stand in files: for each, `SUBAK_…_FILE` names one."""

OPTIONAL = ("camera_credentials",)
"""Secrets of which there may be none: their file may be empty."""


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and files of secrets, with `overrides` that are not None on top.

    Raises:
        ConfigError: A variable has a value that is not allowed, or a file cannot be read; names the variable, not its value.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    given = secrets_from_files([name for name in SECRETS if name not in given], os.environ, OPTIONAL) | given
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "\n".join(f"SUBAK_{'__'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigError(problems) from None
