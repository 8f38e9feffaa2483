"""1 Wall: is the network moving, can the data be trusted, what do drivers read. 2 Corridor: where along it and since when."""

from __future__ import annotations

from dashboards.grafana import looks, palette
from dashboards.grafana.boards.shared import (
    AGE,
    DEVICE,
    FLOW_UNIT,
    GOOD,
    JUNCTION,
    MODES,
    PRESENCE,
    RULES,
    SEVERITY,
    SPEED,
    begin,
    to_junction,
)
from dashboards.grafana.panels import SERIES, TABLE, Column, Sheet


def wall(sheet: Sheet) -> None:
    """The whole network for a wall: readable in five seconds from three metres."""
    begin(sheet, "fresh_site", "fresh_devices", "fresh_signs")
    sheet.panel(
        "geomap",
        ("Jaringan: kecepatan", "Network: speed"),
        (
            "Angka = km/jam setiap kaki simpang; warna = bagian batas kecepatan: biru ≥ 67, kuning ≥ 50, jingga ≥ 30, merah < 30 % (HCM 7).",
            "Figure = km/h of each approach; colour = share of the limit: blue ≥ 67, yellow ≥ 50, orange ≥ 30, red < 30 % (HCM 7).",
        ),
        ("wall_map", TABLE),
        size=(9, 16),
        fresh="fresh_site",
        unit="percent",
        steps=palette.SPEED_SHARE_OR_NONE,
        decimals=0,
        options=looks.roads_map(
            sheet.site, [looks.markers(sheet.say(("Kaki simpang", "Approaches")), "share", label="label", size=9)]
        ),
        columns=[
            Column("share", ("Dari batas", "Of the limit"), mappings={"-1": (("tanpa data", "no data"), palette.GREY)}),
            SPEED,
            AGE,
            GOOD,
            Column("flow", ("Arus per lajur", "Flow a lane"), unit=FLOW_UNIT),
            Column("junction", JUNCTION),
            Column("road", ("Jalan", "Road")),
        ],
        link=to_junction(sheet),
    )
    sheet.panel(
        "geomap",
        ("Jaringan: umur data", "Network: data age"),
        (
            "Umur menit sah terbaru setiap simpang: hijau sampai 2 menit, jingga sampai 5 menit, merah lebih tua.",
            "Age of the newest valid minute of each junction: green up to 2 minutes, orange up to 5, red beyond.",
        ),
        ("wall_ages", TABLE),
        size=(5, 16),
        fresh="fresh_site",
        unit="s",
        steps=palette.AGE,
        decimals=0,
        options=looks.roads_map(sheet.site, [looks.markers(sheet.say(JUNCTION), "age_s", label="label", size=12)], zoom=11.8),
        columns=[AGE, GOOD, Column("junction_title", JUNCTION), Column("label", AGE.title)],
        link=to_junction(sheet),
    )
    sheet.panel(
        "stat",
        ("Terbuka", "Open"),
        ("Yang sudah diumumkan dan belum berakhir.", "Announced and not ended."),
        ("wall_alert_count", TABLE),
        size=(4, 5),
        fresh="fresh_devices",
        unit="short",
        options=looks.STAT,
        columns=[
            Column("critical", ("kritis", "critical"), steps=((None, "#3A4B56"), (1, palette.VERMILION))),
            Column("warning", ("peringatan", "warning"), steps=((None, "#3A4B56"), (1, palette.ORANGE))),
        ],
    )
    sheet.panel(
        "stat",
        ("Perangkat", "Devices"),
        (
            "Perangkat yang terdengar dalam tiga periode terakhirnya (paling sedikit 30 dtk), dari semua yang aktif.",
            "Devices heard within three of their periods (at least 30 s), of all that are active.",
        ),
        ("wall_reporting", TABLE),
        size=(3, 5),
        fresh="fresh_devices",
        unit="short",
        options=looks.STAT,
        columns=[
            Column("reporting", ("melapor", "reporting"), colour=palette.BLUE),
            Column("devices", ("semua", "all"), colour="#3A4B56"),
        ],
    )
    sheet.panel(
        "stat",
        ("Mutu", "Quality"),
        (
            "Bagian menit lajur 15 menit terakhir yang bermutu baik.",
            "Share of the lane minutes of the last 15 minutes whose quality is good.",
        ),
        ("wall_quality", TABLE),
        size=(3, 5),
        fresh="fresh_site",
        unit="percent",
        steps=palette.GOOD_SHARE,
        decimals=0,
        options=looks.STAT,
        columns=[Column("good_share", ("baik", "good"))],
    )
    sheet.panel(
        "alertlist",
        ("Bagi operator VMS", "For VMS operators"),
        (
            "Aturan peringatan lalu lintas yang menyala atau menunggu, yang terbaru dahulu; rambu dan pesannya ada di rincian.",
            "Traffic alert rules that fire or are pending, the newest first; signs and message are in the details.",
        ),
        size=(10, 5),
        fresh="fresh_site",
        unit="none",
        options=looks.ALERTS,
    )
    sheet.panel(
        "bargauge",
        ("Kaki simpang paling lambat", "Slowest approaches"),
        (
            "Lima kaki simpang dengan kecepatan terendah, 10 menit terakhir, sedikitnya 10 kendaraan. Hanya data baik atau sebagian.",
            "The five approaches with the lowest speed over the last 10 minutes, at least 10 vehicles. Good or partial data only.",
        ),
        ("wall_worst", TABLE),
        size=(10, 6),
        fresh="fresh_site",
        unit="velocitykmh",
        steps=palette.SPEED,
        decimals=0,
        span=(0, 60),
        options=looks.BARS,
        link=to_junction(sheet),
    )
    sheet.panel(
        "table",
        ("Yang ditampilkan VMS", "What the signs show"),
        (
            "Laporan status terakhir setiap VMS; luring atau umur merah: yang tampil sekarang tidak diketahui.",
            "The last status report of each sign; offline or a red age: what it shows now is not known.",
        ),
        ("wall_signs", TABLE),
        size=(14, 8),
        fresh="fresh_signs",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            column
            for column in sign_columns()
            if column.name in {"device", "message", "source_mode", "presence", "faults", "age_s"}
        ],
    )
    sheet.panel(
        "table",
        ("Peringatan", "Alerts"),
        ("Terbuka dan sudah diumumkan, yang paling parah dahulu.", "Open and announced, the most severe first."),
        ("wall_alerts", TABLE),
        size=(10, 8),
        fresh="fresh_devices",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("severity", ("Tingkat", "Severity"), mappings=SEVERITY, more=looks.COLOURED),
            Column("rule", ("Aturan", "Rule"), mappings=RULES),
            Column("device", DEVICE),
            Column("element", ("Bagian", "Element")),
            Column("onset", ("Sejak", "Since"), unit="dateTimeAsIsoNoDateIfToday"),
            Column("detail", ("Rincian", "Detail")),
            Column("junction", JUNCTION),
        ],
        link=to_junction(sheet),
    )


def sign_columns() -> list[Column]:
    """Of the table of signs."""
    return [
        Column("device", ("VMS", "Sign")),
        Column("title", ("Tempat", "Place")),
        Column("message", ("Pesan", "Message"), more={"custom.width": 360}),
        Column("source_mode", ("Sumber", "Source mode"), mappings=MODES, more=looks.COLOURED),
        Column("since", ("Sejak", "Since"), unit="dateTimeAsIsoNoDateIfToday"),
        Column("presence", ("Kehadiran", "Presence"), mappings=PRESENCE, more=looks.COLOURED),
        Column("faults", ("Gangguan", "Faults")),
        Column("lease_s", ("Sewa", "Lease"), unit="s"),
        AGE,
    ]


def corridor(sheet: Sheet) -> None:
    """Where along the corridor traffic stands, and since when."""
    begin(sheet, "fresh_site", scope=("corridor",), devices="d.kind = 'atc'")
    sheet.panel(
        "heatmap",
        ("Kecepatan sepanjang koridor", "Speed along the corridor"),
        (
            "Satu baris satu simpang: biru = lancar, merah = lambat. Kosong: tanpa data sah.",
            "A row is a junction: blue = fast, red = slow. Empty: no valid data.",
        ),
        ("corridor_speed", SERIES),
        size=(24, 11),
        fresh="fresh_site",
        unit="velocitykmh",
        options=looks.heatmap("velocitykmh", low=0, high=60),
    )
    sheet.panel(
        "timeseries",
        ("Kecepatan", "Speed"),
        ("Rata-rata menurut volume per simpang.", "Weighted by volume, by junction."),
        ("corridor_speed", SERIES),
        size=(12, 9),
        fresh="fresh_site",
        unit="velocitykmh",
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
    )
    sheet.panel(
        "timeseries",
        ("Arus per lajur", "Flow a lane"),
        ("Rata-rata lajur dengan data sah.", "Mean of the lanes with valid data."),
        ("corridor_flow", SERIES),
        size=(12, 9),
        fresh="fresh_site",
        unit=FLOW_UNIT,
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
    )
    sheet.panel(
        "status-history",
        ("Tingkat pelayanan tiap 5 menit", "Level of service, every 5 minutes"),
        (
            "Kecepatan terhadap batas: lancar ≥ 67 %, tersendat ≥ 50 %, padat ≥ 30 %, macet di bawahnya (HCM 7, tabel 18-1).",
            "Speed against the limit: free ≥ 67 %, slowed ≥ 50 %, dense ≥ 30 %, jammed below (HCM 7, exhibit 18-1).",
        ),
        ("corridor_service", SERIES),
        size=(24, 10),
        fresh="fresh_site",
        unit="percent",
        steps=palette.SPEED_SHARE,
        options=looks.HISTORY,
        custom=looks.STATE_FIELDS,
    )
    sheet.panel(
        "table",
        ("Kaki simpang sekarang", "Approaches now"),
        (
            "Menit final terakhir setiap kaki simpang, yang paling lambat dahulu.",
            "The newest final minute of each approach, slowest first.",
        ),
        ("corridor_now", TABLE),
        size=(24, 10),
        fresh="fresh_site",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("junction", JUNCTION),
            Column("approach", ("Kaki", "Approach")),
            Column("flow", ("Arus", "Flow"), unit=FLOW_UNIT),
            SPEED,
            Column("occupancy", ("Okupansi", "Occupancy"), unit="percent", more={"decimals": 1}),
            GOOD,
            AGE,
        ],
        link=to_junction(sheet),
    )
