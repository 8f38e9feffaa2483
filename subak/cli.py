"""The command line `subak`; each command lives in the module that does the work and is loaded when asked for."""

from __future__ import annotations

import sys

from cyclopts import App

from config.errors import ConfigError

app = App(
    name="subak",
    help="City traffic telemetry: from MQTT to quality-coded facts, a console and back to the signs.",
    version_flags=["--version"],
)

app.command("subak.demo.command:demo", name="demo")
app.command("subak.run:run", name="run")
app.command("subak.migrate:migrate", name="migrate")
app.command("subak.verify:app", name="verify")
app.command("subak.doctor:doctor", name="doctor")
app.command("subak.street.command:street", name="street")
app.command("subak.tape.command:record", name="record")
app.command("subak.tape.command:replay", name="replay")
app.command("subak.contract:contract", name="contract")


def main() -> None:
    """Run the command line; errors a person can act on end it with one message and status 2."""
    try:
        app()
    except ConfigError as error:
        print(f"subak: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
