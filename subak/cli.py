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

app.command(
    "subak.demo.command:demo", name="demo", help="Run everything on embedded parts: broker, database, street, pipeline, console."
)
app.command("subak.run:run", name="run", help="Run a role of the program: the collector with its processors, or the console.")
app.command("subak.migrate:migrate", name="migrate", help="Bring the database up to this program and its site folder.")
app.command("subak.verify:app", name="verify", help="Check the invariants on a live system: ledger and bins.")
app.command("subak.doctor:doctor", name="doctor", help="Check site folder, broker, database and clock, and say what to do.")
app.command(
    "subak.street.command:street",
    name="street",
    help="Drive the simulated street: devices that publish over MQTT, and the truth.",
)
app.command("subak.camera.command:app", name="camera", help="Count vehicles in video.")
app.command("subak.tape.command:record", name="record", help="Record the broker's stream into a file.")
app.command(
    "subak.tape.command:replay", name="replay", help="Publish a recorded stream again, or the real events of the package atspm."
)
app.command("subak.importing:import_", name="import", help="Store the event logs of controllers from files; a copy adds nothing.")
app.command(
    "subak.watchdog:watchdog", name="watchdog", help="Look for faults of devices and signals once and say what is wrong now."
)
app.command(
    "subak.deadletters:app", name="deadletters", help="List, show, send again and throw away what could not become facts."
)
app.command("subak.measure.command:app", name="measure", help="Measures of files, without a database: signal performance.")
app.command("subak.rules.command:app", name="rules", help="Alert rules: check them, try them on history, explain what they say.")
app.command("subak.access.command:app", name="access", help="Write credentials and rules for the broker and the database.")
app.command("subak.contract:contract", name="contract", help="Write the wire contract as AsyncAPI and JSON Schema, or check it.")
app.command("subak.dashboards:app", name="dashboards", help="Build, check, sync and preview what Grafana shows.")


def main() -> None:
    """Run the command line; errors a person can act on end it with one message and status 2."""
    try:
        app()
    except ConfigError as error:
        print(f"subak: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
