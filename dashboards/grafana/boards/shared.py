"""What boards have in common: variables, annotations, links, and words of columns."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from dashboards.grafana import palette
from dashboards.grafana.looks import COLOURED
from dashboards.grafana.panels import Column, Sheet, uid_of
from dashboards.grafana.words import Text

JUNCTION: Final[Text] = ("Simpang", "Junction")
DEVICE: Final[Text] = ("Perangkat", "Device")
AGE: Final = Column("age_s", ("Umur data", "Data age"), unit="s", steps=palette.AGE, more=COLOURED)
GOOD: Final = Column(
    "good_share", ("Masukan baik", "Good inputs"), unit="percent", steps=palette.GOOD_SHARE, more={**COLOURED, "decimals": 0}
)
SPEED: Final = Column("speed", ("Kecepatan", "Speed"), unit="velocitykmh", steps=palette.SPEED, more={**COLOURED, "decimals": 0})
FLOW_UNIT: Final = "suffix: veh/h"

CLASSES: Final[dict[str, Text]] = {
    "sm": ("Sepeda motor", "Motorcycle"),
    "mp": ("Mobil", "Car"),
    "ks": ("Kendaraan sedang", "Medium"),
    "bb": ("Bus besar", "Large bus"),
    "tb": ("Truk besar", "Large truck"),
    "ktb": ("Tak bermotor", "Non-motorised"),
}
CLASS_COLUMNS: Final = [Column(key, CLASSES[key], colour=palette.CLASSES[key]) for key in CLASSES]
QUALITIES: Final[dict[str, tuple[Text, str]]] = {
    "good": (("Baik", "Good"), palette.QUALITY["good"]),
    "partial": (("Sebagian", "Partial"), palette.QUALITY["partial"]),
    "imputed": (("Diperkirakan", "Imputed"), palette.QUALITY["imputed"]),
    "suspect": (("Diragukan", "Suspect"), palette.QUALITY["suspect"]),
    "missing": (("Hilang", "Missing"), palette.QUALITY["missing"]),
}
PRESENCE: Final[dict[str, tuple[Text, str]]] = {
    "online": (("Daring", "Online"), palette.GREEN),
    "shutdown": (("Dimatikan", "Shut down"), palette.SKY),
    "silent": (("Diam", "Silent"), palette.ORANGE),
    "offline": (("Luring", "Offline"), palette.VERMILION),
    "never": (("Belum pernah", "Never"), palette.GREY),
}
KINDS: Final[dict[str, tuple[Text, str]]] = {
    "atc": (("APILL", "Signal"), palette.WHITE),
    "cctv": (("CCTV", "CCTV"), palette.WHITE),
    "vms": (("VMS", "VMS"), palette.WHITE),
    "net": (("Jaringan", "Network"), palette.WHITE),
    "wifi": (("Wi-Fi", "Wi-Fi"), palette.WHITE),
    "app": (("Aplikasi", "App"), palette.WHITE),
}

# Of `analytics.alerts`: every rule of `processors.watchdog` and `camera:drift`.
RULES: Final[dict[str, tuple[Text, str]]] = {
    rule: (text, palette.WHITE)
    for rule, text in {
        "watchdog:detector_fault": ("Detektor rusak", "Detector fault"),
        "watchdog:pedestrian_detector_fault": ("Tombol pejalan kaki rusak", "Pedestrian button fault"),
        "watchdog:pedestrian_stuck": ("Tombol pejalan kaki macet", "Pedestrian button stuck"),
        "watchdog:flash": ("Sinyal kedip", "Signals flashing"),
        "watchdog:controller_alarm": ("Alarm pengendali", "Controller alarm"),
        "watchdog:manual_control": ("Kendali manual", "Manual control"),
        "watchdog:stop_time": ("Waktu dihentikan", "Stop time"),
        "watchdog:power_failure": ("Listrik padam", "Power failure"),
        "watchdog:comm_loss": ("Perangkat diam", "Device silent"),
        "watchdog:pipeline_silent": ("Semua perangkat diam", "All devices silent"),
        "watchdog:clock_drift": ("Jam melenceng", "Clock drift"),
        "watchdog:events_missing": ("Catatan sinyal hilang", "Event log missing"),
        "watchdog:minutes_missing": ("Menit hilang", "Minutes missing"),
        "watchdog:low_count": ("Hitungan terlalu sedikit", "Count too low"),
        "watchdog:pedestrian_calls": ("Terlalu banyak panggilan", "Too many calls"),
        "watchdog:max_out": ("Selalu hijau terpanjang", "Always maxes out"),
        "watchdog:force_off": ("Selalu diputus", "Always forced off"),
        "camera:drift": ("Kamera dan lup berbeda", "Camera and loop differ"),
    }.items()
}
SEVERITY: Final[dict[str, tuple[Text, str]]] = {
    "critical": (("✘ KRITIS", "✘ CRITICAL"), palette.VERMILION),
    "warning": (("▲ Peringatan", "▲ Warning"), palette.ORANGE),
    "info": (("● Info", "● Info"), palette.SKY),
}

MODES: Final[dict[str, tuple[Text, str]]] = {
    "central": (("Pusat", "Central"), palette.GREEN),
    "local": (("Setempat", "Local"), palette.PURPLE),
    "external": (("Luar", "External"), palette.PURPLE),
    "timebasedScheduler": (("Jadwal", "Schedule"), palette.SKY),
    "endDuration": (("Sewa habis", "Lease ended"), palette.YELLOW),
    "commLoss": (("Komunikasi putus", "Communication lost"), palette.VERMILION),
    "powerLoss": (("Listrik padam", "Power lost"), palette.VERMILION),
    "powerRecovery": (("Listrik kembali", "Power back"), palette.ORANGE),
    "reset": (("Setelah mulai ulang", "After restart"), palette.GREY),
}

# What has no roll-up is not read whole over a long range; panels say so.
SAMPLED: Final[Text] = (" Di atas sehari: satu laporan per langkah.", " Beyond a day: one report a step.")
FORTNIGHT: Final[Text] = (" Paling banyak 14 hari terakhir rentang.", " At most the newest 14 days of the range.")

_FRESH: Final[dict[str, Text]] = {
    "fresh_site": ("Umur data lajur", "Age of lane data"),
    "fresh_junction": ("Umur data simpang", "Age of the junction's data"),
    "fresh_history": ("Umur riwayat", "Age of history"),
    "fresh_signals": ("Umur data sinyal", "Age of signal data"),
    "fresh_cycles": ("Umur siklus", "Age of cycles"),
    "fresh_cameras": ("Umur data kamera", "Age of camera data"),
    "fresh_signs": ("Umur data VMS", "Age of sign data"),
    "fresh_devices": ("Umur data perangkat", "Age of device data"),
    "fresh_sensors": ("Umur data sensor", "Age of sensor data"),
    "fresh_ledger": ("Umur neraca", "Age of the ledger"),
}


def begin(sheet: Sheet, *fresh: str, scope: tuple[str, ...] = (), devices: str = "true") -> None:
    """Variables, annotations and links of a board.

    Args:
        sheet: To begin.
        fresh: The hidden variables that its panels' titles end with.
        scope: Of junction, approach and lane, those that it lets choose.
        devices: Condition on the devices `d` that it is about: the outages and alerts of others would bury its charts.
    """
    sheet.variable("site", ("Lokasi", "Site"))
    for name, label, several in (
        ("corridor", ("Koridor", "Corridor"), False),
        ("junction", JUNCTION, False),
        ("approach", ("Kaki simpang", "Approach"), True),
        ("lane", ("Lajur", "Lane"), True),
        ("phase", ("Fase", "Phase"), False),
    ):
        if name in scope:
            sheet.variable(name, label, several=several)
    for name in fresh:
        sheet.variable(name, _FRESH[name], hidden=True)
    sheet.annotation("annotation_signs", ("Pesan VMS", "Sign messages"), palette.SKY)
    sheet.annotation("annotation_outages", ("Gangguan perangkat", "Outages"), palette.VERMILION, devices=devices)
    sheet.annotation("annotation_changes", ("Perubahan konfigurasi", "Configuration changes"), palette.PURPLE)
    sheet.annotation("annotation_alerts", ("Peringatan", "Alerts"), palette.ORANGE, devices=devices)
    sheet.board.link(
        build.DashboardLink(sheet.say(("Papan lain", "Other boards")))
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["subak", sheet.language.value])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
    address = f"{sheet.site.general.console_url.rstrip('/')}/?lang={sheet.language.value}"
    sheet.link(("Konsol", "Console"), f"{address}&junction=${{junction:percentencode}}" if "junction" in scope else address)


def with_limit(about: Text, limit: Text) -> Text:
    """A description that says how much of a long range is shown."""
    return about[0] + limit[0], about[1] + limit[1]


def to_junction(sheet: Sheet, field: str = "${__data.fields.junction}") -> tuple[Text, str]:
    """A link to the board of the junction that a row names."""
    uid = uid_of("junction", sheet.language)
    return (
        ("Buka simpang", "Open the junction"),
        f"/d/{uid}?var-site=${{site:percentencode}}&var-junction={field}&${{__url_time_range}}",
    )
