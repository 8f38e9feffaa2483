"""4 Cameras: can they see. 5 Signs: what drivers read. 8 City sensors: what else hangs on the network."""

from __future__ import annotations

from dashboards.grafana import looks, palette
from dashboards.grafana.boards.shared import (
    AGE,
    DEVICE,
    FLOW_UNIT,
    FORTNIGHT,
    GOOD,
    JUNCTION,
    KINDS,
    MODES,
    PRESENCE,
    SAMPLED,
    begin,
    with_limit,
)
from dashboards.grafana.boards.wall import sign_columns
from dashboards.grafana.panels import BY_DEVICE, SERIES, TABLE, Column, Sheet
from dashboards.grafana.words import SPOKEN, Text

# Blue, sky, yellow and purple: counts are suspect. Vermilion: there are none, whatever the reason. Grey: nothing is heard.
CONDITIONS: dict[str, tuple[Text, str]] = {
    "ok": (("Normal", "OK"), palette.GREEN),
    "night": (("Malam", "Night"), palette.BLUE),
    "glare": (("Silau", "Glare"), palette.YELLOW),
    "low_contrast": (("Kontras rendah", "Low contrast"), palette.SKY),
    "blurred": (("Kabur", "Blurred"), palette.PURPLE),
    "low_fps": (("Bingkai lambat", "Low frame rate"), palette.PURPLE),
    "covered": (("Tertutup", "Covered"), palette.VERMILION),
    "frozen": (("Beku", "Frozen"), palette.VERMILION),
    "moved": (("Bergeser", "Moved"), palette.VERMILION),
    "lost": (("Terputus", "Lost"), palette.GREY),
    "missing": (("Tanpa laporan", "No report"), palette.GREY),
}
EVENTS: dict[str, tuple[Text, str]] = {
    "wrong_way": (("✘ Melawan arah", "✘ Wrong way"), palette.VERMILION),
    "stopped": (("▲ Kendaraan berhenti", "▲ Stopped vehicle"), palette.ORANGE),
    "person": (("▲ Orang di badan jalan", "▲ Person on the carriageway"), palette.PURPLE),
}
EVENT_STATES: dict[str, tuple[Text, str]] = {
    "open": (("berlangsung", "open"), palette.ORANGE),
    "over": (("selesai", "over"), palette.GREY),
    "unseen": (("selesai, akhirnya tidak terlihat", "over, end not seen"), palette.GREY),
    "unknown": (("tidak diketahui: kamera buta", "unknown: camera blind"), palette.BLUE),
}
BLANK: dict[str, tuple[Text, str]] = dict.fromkeys(SPOKEN["blank"], (SPOKEN["blank"], palette.GREY))
METRICS: tuple[tuple[str, Text, Text, str], ...] = (
    ("latency_ms", ("Waktu bolak-balik", "Round-trip time"), ("Setiap perangkat, rata-rata.", "Each device, mean."), "ms"),
    (
        "loss_percent",
        ("Paket hilang", "Packet loss"),
        ("Bagian paket yang tidak kembali.", "Share of packets that did not return."),
        "percent",
    ),
    (
        "clients",
        ("Klien Wi-Fi", "Wi-Fi clients"),
        ("Klien yang tersambung pada setiap titik akses.", "Clients associated with each access point."),
        "short",
    ),
    ("requests_per_s", ("Permintaan aplikasi", "Application requests"), ("Permintaan per detik.", "Requests a second."), "reqps"),
    (
        "error_percent",
        ("Permintaan gagal", "Requests that failed"),
        ("Bagian permintaan yang gagal.", "Share of the requests that failed."),
        "percent",
    ),
    (
        "temperature_c",
        ("Suhu kabinet", "Cabinet temperature"),
        ("Suhu di dalam kabinet.", "Temperature inside the cabinet."),
        "celsius",
    ),
)


def cameras(sheet: Sheet) -> None:
    """Whether each camera can be trusted, and what it counts."""
    begin(sheet, "fresh_cameras", devices="d.kind = 'cctv'")
    sheet.panel(
        "state-timeline",
        ("Keadaan kamera", "Condition of the cameras"),
        (
            "Keadaan menurut kamera sendiri; hitungan hanya sah saat normal.",
            "Condition as reported; counts are valid only when it is OK.",
        ),
        ("cameras_state", TABLE),
        size=(24, 8),
        fresh="fresh_cameras",
        unit="string",
        options=looks.STATES,
        custom=looks.STATE_FIELDS,
        transformations=[BY_DEVICE],
        mappings=CONDITIONS,
    )
    sheet.panel(
        "table",
        ("Kamera sekarang", "Cameras now"),
        (
            "Keadaan yang berlaku, dan laporan kesehatan terakhir setiap kamera.",
            "The condition that holds, and the last health report of each camera.",
        ),
        ("cameras_now", TABLE),
        size=(24, 6),
        fresh="fresh_cameras",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("device", DEVICE),
            Column("title", ("Tempat", "Place")),
            Column("junction", JUNCTION),
            Column("presence", ("Kehadiran", "Presence"), mappings=PRESENCE, more=looks.COLOURED),
            Column("state", ("Keadaan", "Condition"), mappings=CONDITIONS, more=looks.COLOURED),
            Column("detail", ("Sebab", "Reason")),
            Column("fps", ("Bingkai/dtk", "Frames/s"), more={"decimals": 1}),
            AGE,
        ],
    )
    for query, title, about, unit in (
        (
            "cameras_fps",
            ("Bingkai per detik", "Frames a second"),
            with_limit(("Yang diambil kamera.", "As taken by the camera."), SAMPLED),
            "suffix: fps",
        ),
        (
            "cameras_counts",
            ("Hitungan garis", "Line counts"),
            ("Arus di garis hitung setiap kamera.", "Flow over the counting lines of each camera."),
            FLOW_UNIT,
        ),
        (
            "cameras_picture",
            ("Kecerahan", "Brightness"),
            with_limit(
                ("Kecerahan rata-rata gambar, skala kamera.", "Mean brightness of the picture, the camera's scale."), SAMPLED
            ),
            "short",
        ),
        (
            "cameras_sharpness",
            ("Ketajaman", "Sharpness"),
            with_limit(("Turun mendadak: kabur, kotor atau tertutup.", "A sudden drop: blurred, dirty or covered."), SAMPLED),
            "short",
        ),
    ):
        sheet.panel(
            "timeseries",
            title,
            about,
            (query, SERIES),
            size=(12, 8),
            fresh="fresh_cameras",
            unit=unit,
            scheme=looks.BY_NAME,
            options=looks.SERIES,
            custom=looks.line(),
            span=(0, None),
        )
    sheet.panel(
        "table",
        ("Kejadian di depan kamera", "Events before cameras"),
        (
            "Melawan arah, kendaraan berhenti, orang di badan jalan; terbaru dahulu.",
            "Wrong way, stopped vehicle, person on the carriageway; newest first.",
        ),
        ("cameras_events", TABLE),
        size=(12, 8),
        fresh="fresh_cameras",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        none=("Tidak ada kejadian dalam rentang ini", "No event in this range"),
        columns=[
            Column("at", ("Waktu", "Time"), unit="dateTimeAsIsoNoDateIfToday"),
            Column("device", ("Kamera", "Camera")),
            Column("junction", JUNCTION),
            Column("kind", ("Kejadian", "Event"), mappings=EVENTS, more=looks.COLOURED),
            Column("zone", ("Zona", "Zone")),
            Column("lasting_s", ("Lamanya", "Lasting"), unit="s"),
            Column("state", ("Keadaan", "State"), mappings=EVENT_STATES, more=looks.COLOURED),
        ],
    )
    sheet.panel(
        "table",
        ("Kamera di samping loop", "Cameras beside loops"),
        (
            "Rasio kamera ÷ loop dan GEH per 15 menit, paling banyak 7 hari terakhir rentang; GEH di bawah 5 cocok.",
            "Ratio camera ÷ loop and GEH by quarter of an hour, at most the newest 7 days of the range; GEH below 5 is a good match.",
        ),
        ("cameras_against_loops", TABLE),
        size=(12, 8),
        fresh="fresh_cameras",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("camera", ("Kamera", "Camera")),
            Column("loop", ("Loop", "Loop")),
            Column("lane", ("Lajur", "Lane")),
            Column("daylight", ("Siang/malam", "Day/night")),
            Column("quarters", ("Perempat jam", "Quarters")),
            Column("ratio", ("Rasio", "Ratio"), more={"decimals": 2}),
            Column("geh", ("GEH", "GEH"), steps=palette.GEH, more={**looks.COLOURED, "decimals": 1}),
            GOOD,
        ],
    )


def signs(sheet: Sheet) -> None:
    """What each sign shows, by what right and for how long."""
    begin(sheet, "fresh_signs", devices="d.kind = 'vms'")
    sheet.panel(
        "table",
        ("VMS sekarang", "Signs now"),
        (
            "Laporan status terakhir, sejak kapan pesan itu tampil, dan sewa perintah terakhir.",
            "The last status report, since when it shows that, and the lease of the last command.",
        ),
        ("signs_now", TABLE),
        size=(18, 8),
        fresh="fresh_signs",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=sign_columns(),
    )
    sheet.panel(
        "stat",
        ("VMS terganggu", "Signs with faults"),
        ("VMS yang melaporkan gangguan atau pintu terbuka.", "Signs that report a fault or an open door."),
        ("signs_faults", TABLE),
        size=(6, 8),
        fresh="fresh_signs",
        unit="short",
        steps=palette.NONE_IS_BEST,
        options=looks.STAT,
        columns=[Column("faulty", ("terganggu", "faulty"))],
    )
    for query, title, about, mappings in (
        (
            "signs_timeline",
            ("Pesan", "Messages"),
            with_limit(("Yang ditampilkan setiap VMS.", "What each sign showed."), FORTNIGHT),
            BLANK,
        ),
        (
            "signs_mode",
            ("Sumber pesan", "Source mode"),
            with_limit(("Dengan hak apa: pusat, setempat, jadwal …", "By what right: central, local, schedule …"), FORTNIGHT),
            MODES,
        ),
    ):
        sheet.panel(
            "state-timeline",
            title,
            about,
            (query, TABLE),
            size=(24, 7),
            fresh="fresh_signs",
            unit="string",
            scheme=looks.BY_NAME,
            options=looks.STATES,
            custom=looks.STATE_FIELDS,
            transformations=[BY_DEVICE],
            mappings=mappings,
        )
    sheet.panel(
        "table",
        ("Perintah dan jawaban", "Commands and results"),
        ("Yang diperintahkan dan dijawab VMS, terbaru dahulu.", "What was commanded and answered, newest first."),
        ("signs_commands", TABLE),
        size=(16, 8),
        fresh="fresh_signs",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        none=("Tidak ada perintah dalam rentang ini", "No command in this range"),
        columns=[
            Column("at", ("Waktu", "Time"), unit="dateTimeAsIsoNoDateIfToday"),
            Column("device", ("VMS", "Sign")),
            Column("step", ("Langkah", "Step")),
            Column("command", ("Perintah", "Command")),
            Column("message", ("Pesan", "Message")),
            Column("priority", ("Prioritas", "Priority")),
            Column("lease_s", ("Sewa", "Lease"), unit="s"),
            Column("outcome", ("Hasil", "Outcome")),
            Column("error", ("Galat", "Error")),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Kecerahan", "Brightness"),
        with_limit(("Kecerahan yang dilaporkan.", "Brightness as reported."), SAMPLED),
        ("signs_brightness", SERIES),
        size=(8, 8),
        fresh="fresh_signs",
        unit="short",
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
    )


def city(sheet: Sheet) -> None:
    """Network links, public Wi-Fi and applications."""
    begin(sheet, "fresh_sensors", devices="d.kind IN ('net', 'wifi', 'app')")
    sheet.panel(
        "table",
        ("Sensor sekarang", "Sensors now"),
        ("Setiap sambungan, titik akses dan aplikasi.", "Each link, access point and application."),
        ("city_status", TABLE),
        size=(12, 12),
        fresh="fresh_sensors",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("kind", ("Jenis", "Kind"), mappings=KINDS),
            Column("device", DEVICE),
            Column("title", ("Nama", "Name")),
            Column("presence", ("Kehadiran", "Presence"), mappings=PRESENCE, more=looks.COLOURED),
            AGE,
        ],
    )
    sheet.panel(
        "state-timeline",
        ("Kehadiran", "Presence"),
        ("Daring atau luring sepanjang rentang.", "Online or offline over the range."),
        ("city_history", TABLE),
        size=(12, 12),
        fresh="fresh_sensors",
        unit="string",
        options=looks.STATES,
        custom=looks.STATE_FIELDS,
        transformations=[BY_DEVICE],
        mappings=PRESENCE,
    )
    for metric, title, about, unit in METRICS:
        sheet.panel(
            "timeseries",
            title,
            with_limit(about, SAMPLED),
            ("city_metric", SERIES, {"metric": metric, "kinds": _kinds(sheet, metric)}),
            size=(12, 8),
            fresh="fresh_sensors",
            unit=unit,
            scheme=looks.BY_NAME,
            options=looks.SERIES,
            custom=looks.line(),
        )


def _kinds(sheet: Sheet, metric: str) -> str:
    """Kinds of device that may report a metric, as SQL: nobody else is asked for it."""
    return ", ".join(f"'{kind.value}'" for one in sheet.site.metrics if one.name == metric for kind in one.kinds)
