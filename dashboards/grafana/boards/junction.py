"""3 Junction: what arrives there, how it flows, and how far its numbers can be trusted. 9 History: is this usual."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import FieldColorModeId

from dashboards.grafana import looks, palette
from dashboards.grafana.boards.shared import AGE, CLASS_COLUMNS, FLOW_UNIT, FORTNIGHT, GOOD, QUALITIES, SPEED, begin, with_limit
from dashboards.grafana.panels import BY_DEVICE, SERIES, TABLE, Column, Sheet

HERE = "d.junction = ${junction:sqlstring}"
WEEK = {
    "monday": ("Senin", "Monday"),
    "tuesday": ("Selasa", "Tuesday"),
    "wednesday": ("Rabu", "Wednesday"),
    "thursday": ("Kamis", "Thursday"),
    "friday": ("Jumat", "Friday"),
    "saturday": ("Sabtu", "Saturday"),
    "sunday": ("Minggu", "Sunday"),
}


def junction(sheet: Sheet) -> None:
    """One junction."""
    begin(sheet, "fresh_junction", "fresh_cameras", "fresh_cycles", scope=("junction", "approach", "lane", "phase"), devices=HERE)
    sheet.panel(
        "table",
        ("Kaki simpang sekarang", "Approaches now"),
        ("Menit final terakhir setiap kaki simpang.", "The newest final minute of each approach."),
        ("junction_now", TABLE),
        size=(12, 7),
        fresh="fresh_junction",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("approach", ("Kaki", "Approach")),
            Column("flow", ("Arus", "Flow"), unit=FLOW_UNIT),
            SPEED,
            Column("occupancy", ("Okupansi", "Occupancy"), unit="percent", more={"decimals": 1}),
            GOOD,
            AGE,
        ],
    )
    sheet.panel(
        "state-timeline",
        ("Mutu setiap lajur", "Quality of each lane"),
        (
            "Mutu terburuk dalam setiap bin. Yang hilang bukan nol.",
            "The worst quality within each bin. What is missing is not zero.",
        ),
        ("junction_lane_quality", TABLE),
        size=(12, 7),
        fresh="fresh_junction",
        unit="string",
        options=looks.STATES,
        custom=looks.STATE_FIELDS,
        transformations=[BY_DEVICE],
        mappings=QUALITIES,
    )
    sheet.panel(
        "timeseries",
        ("Arus menurut golongan", "Flow by class"),
        (
            "Kendaraan per jam per lajur menurut golongan PKJI, rata-rata lajur yang mengamati. Celah: tidak ada pengamatan sah.",
            "Vehicles an hour and lane by PKJI class, mean of the lanes that observed. Gap: no valid observation.",
        ),
        ("junction_flow_by_class", SERIES),
        size=(12, 9),
        fresh="fresh_junction",
        unit=FLOW_UNIT,
        options=looks.SERIES,
        custom=looks.line(fill=55, stack=True),
        span=(0, None),
        decimals=0,
        columns=CLASS_COLUMNS,
    )
    sheet.panel(
        "timeseries",
        ("Arus setiap lajur", "Flow of each lane"),
        ("Volume atas waktu yang teramati.", "Volume over the observed time."),
        ("junction_flow_by_lane", SERIES),
        size=(12, 9),
        fresh="fresh_junction",
        unit=FLOW_UNIT,
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
        decimals=0,
    )
    sheet.panel(
        "timeseries",
        ("Kecepatan", "Speed"),
        (
            "Per kaki simpang, menurut volume; hanya kendaraan yang terukur.",
            "By approach, weighted by volume; measured vehicles only.",
        ),
        ("junction_speed", SERIES),
        size=(12, 8),
        fresh="fresh_junction",
        unit="velocitykmh",
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
        decimals=0,
    )
    sheet.panel(
        "timeseries",
        ("Okupansi", "Occupancy"),
        ("Bagian waktu detektor tertutup, rata-rata lajur.", "Share of the time that detectors are occupied, mean of the lanes."),
        ("junction_occupancy", SERIES),
        size=(12, 8),
        fresh="fresh_junction",
        unit="percent",
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, 100),
        decimals=0,
    )
    sheet.panel(
        "timeseries",
        ("Mutu masukan dan revisi", "Quality of inputs and revisions"),
        (
            "Bagian menit menurut mutu; titik: bin yang berubah karena data terlambat setelah final.",
            "Share of the minutes by quality; points: bins that late data changed after they were final.",
        ),
        ("junction_quality", SERIES),
        size=(12, 8),
        fresh="fresh_junction",
        unit="percent",
        options=looks.SERIES,
        custom=looks.line(fill=70, stack=True, bars=True),
        span=(0, None),
        columns=[
            *(Column(key, text, colour=colour) for key, (text, colour) in QUALITIES.items()),
            Column(
                "revised",
                ("Revisi", "Revisions"),
                unit="short",
                colour=palette.WHITE,
                more={
                    "custom.drawStyle": "points",
                    "custom.pointSize": 8,
                    "custom.axisPlacement": "right",
                    "custom.stacking": {"mode": "none", "group": "B"},
                },
            ),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Kamera di samping loop", "Camera beside loop"),
        (
            "Arus lajur yang dihitung keduanya secara sah. Selisih tetap: satu dari keduanya salah hitung.",
            "Flow of the lanes that both count validly. A lasting difference: one of the two miscounts.",
        ),
        ("junction_camera_beside_loop", SERIES),
        size=(12, 8),
        none=("Tidak ada kamera yang menghitung di sini", "No camera counts here"),
        fresh="fresh_cameras",
        unit=FLOW_UNIT,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
        decimals=0,
        columns=[
            Column("loop_flow", ("Loop", "Loop"), colour=palette.ORANGE),
            Column("camera_flow", ("Kamera", "Camera"), colour=palette.SKY),
        ],
    )
    _signals(sheet)


def _signals(sheet: Sheet) -> None:
    sheet.panel(
        "timeseries",
        ("Diagram koordinasi fase $phase", "Coordination diagram, phase $phase"),
        (
            "Setiap titik satu kendaraan: waktu, dan detik dalam siklus sejak mulai merah. Garis: mulai hijau, mulai kuning, akhir siklus.",
            "Each point is a vehicle: its time, and its second in the cycle since red began. Lines: begin of green, of yellow, end of cycle.",
        ),
        ("signals_diagram", SERIES),
        ("signals_edges", SERIES),
        size=(12, 10),
        fresh="fresh_cycles",
        unit="s",
        options=looks.SERIES,
        custom={**looks.line(), "drawStyle": "points", "pointSize": 4},
        span=(0, None),
        decimals=0,
        columns=[
            Column("green", ("Tiba saat hijau", "Arrived on green"), colour=palette.GREEN),
            Column("yellow", ("Tiba saat kuning", "Arrived on yellow"), colour=palette.YELLOW),
            Column("red", ("Tiba saat merah", "Arrived on red"), colour=palette.VERMILION),
            *(
                Column(
                    name,
                    text,
                    colour=colour,
                    more={"custom.drawStyle": "line", "custom.lineWidth": 2, "custom.showPoints": "never"},
                )
                for name, text, colour in (
                    ("green_begins", ("Mulai hijau", "Green begins"), palette.GREEN),
                    ("yellow_begins", ("Mulai kuning", "Yellow begins"), palette.YELLOW),
                    ("cycle_ends", ("Akhir siklus", "Cycle ends"), palette.WHITE),
                )
            ),
        ],
    )
    sheet.panel(
        "table",
        ("Pemantau split", "Split monitor"),
        (
            "Setiap fase dalam rentang, paling banyak 14 hari terakhirnya. Split = hijau + kuning + semua merah; gagal: antrean tidak habis dalam hijaunya.",
            "Each phase over the range, at most its newest 14 days. Split = green + yellow + red clearance; failure: its green did not empty the queue.",
        ),
        ("signals_split_monitor", TABLE),
        size=(12, 10),
        fresh="fresh_cycles",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        decimals=0,
        columns=[
            Column("phase", ("Fase", "Phase")),
            Column("cycles", ("Siklus", "Cycles")),
            Column("cycle_s", ("Siklus rata-rata", "Mean cycle"), unit="s"),
            Column("split_s", ("Split rata-rata", "Mean split"), unit="s"),
            Column("split_85_s", ("Split 85 %", "Split 85 %"), unit="s"),
            Column("gap_out", ("Gap-out", "Gap-out"), unit="percent"),
            Column("max_out", ("Max-out", "Max-out"), unit="percent"),
            Column("force_off", ("Force-off", "Force-off"), unit="percent"),
            Column(
                "split_failures",
                ("Gagal split", "Split failures"),
                unit="percent",
                steps=palette.FAILURE_SHARE,
                more=looks.COLOURED,
            ),
            Column("on_green", ("Tiba saat hijau", "Arrivals on green"), unit="percent"),
            GOOD,
        ],
    )
    for query, title, about, unit, span in (
        ("signals_splits", ("Split setiap siklus", "Split of each cycle"), ("Hijau + kuning + semua merah, menurut fase.", "Green + yellow + red clearance, by phase."), "s", (0, None)),
        ("signals_failures", ("Gagal split", "Split failures"), with_limit(("Bagian siklus yang hijaunya tidak menghabiskan antrean.", "Share of cycles whose green did not empty the queue."), FORTNIGHT), "percent", (0, 100)),
    ):  # fmt: skip
        sheet.panel(
            "timeseries",
            title,
            about,
            (query, SERIES),
            size=(8, 8),
            fresh="fresh_cycles",
            unit=unit,
            scheme=looks.BY_NAME,
            options=looks.SERIES,
            custom={**looks.line(), "drawStyle": "points", "pointSize": 5},
            span=span,
            decimals=0,
        )
    sheet.panel(
        "timeseries",
        ("Akhir fase $phase", "Terminations, phase $phase"),
        with_limit(("Bagian siklus menurut cara fasenya berakhir.", "Share of the cycles by how the phase ended."), FORTNIGHT),
        ("signals_terminations", SERIES),
        size=(8, 8),
        fresh="fresh_cycles",
        unit="percent",
        options=looks.SERIES,
        custom=looks.line(fill=70, stack=True, bars=True),
        span=(0, 100),
        decimals=0,
        columns=[
            Column("gap_out", ("Gap-out", "Gap-out"), colour=palette.SKY),
            Column("force_off", ("Force-off", "Force-off"), colour=palette.PURPLE),
            Column("max_out", ("Max-out", "Max-out"), colour=palette.VERMILION),
        ],
    )


def history(sheet: Sheet) -> None:
    """What is usual at a junction, and what is not."""
    begin(sheet, "fresh_history", scope=("junction", "approach", "lane"), devices=HERE)
    sheet.panel(
        "table",
        ("Arus menurut hari dan jam", "Flow by weekday and hour"),
        (
            "Rata-rata per lajur, hanya jam tanpa menit yang hilang, diragukan atau diperkirakan; jam setempat.",
            "Mean a lane, hours without missing, suspect or imputed minutes only; local hours.",
        ),
        ("history_heatmap", TABLE),
        size=(12, 18),
        fresh="fresh_history",
        unit=FLOW_UNIT,
        options=looks.TABLE,
        custom={**looks.CELLS, "cellOptions": {"type": "color-background", "mode": "basic"}, "filterable": False},
        scheme=FieldColorModeId.CONTINUOUS_BL_PU,
        decimals=0,
        columns=[
            Column("hour", ("Jam", "Hour"), more={"custom.cellOptions": {"type": "auto"}, "custom.width": 60}),
            *(Column(key, text) for key, text in WEEK.items()),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Sekarang, biasanya, sepekan sebelumnya", "Now, the usual, one week before"),
        (
            "Arus per lajur tiap 15 menit; paling banyak 15 hari terakhir rentang.",
            "Flow a lane every 15 minutes; the newest 15 days of the range at most.",
        ),
        ("history_against_before", SERIES),
        size=(12, 9),
        fresh="fresh_history",
        unit=FLOW_UNIT,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
        decimals=0,
        columns=[
            Column("flow", ("Rentang ini", "This range"), colour=palette.ORANGE),
            Column("usual", ("Biasanya (6 pekan)", "The usual (6 weeks)"), colour=palette.WHITE, more={"custom.lineWidth": 3}),
            Column(
                "week_before",
                ("Sepekan sebelumnya", "One week before"),
                colour=palette.SKY,
                more={"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}},
            ),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Kendaraan per hari", "Vehicles a day"),
        (
            "Hari setempat, hanya lajur yang teramati sedikitnya 95 %; garis: kelengkapan hari itu.",
            "Local days, lanes observed for at least 95 % only; line: how complete the day is.",
        ),
        ("history_days", SERIES),
        size=(12, 9),
        fresh="fresh_history",
        unit="short",
        options=looks.SERIES,
        custom=looks.line(fill=60, bars=True),
        span=(0, None),
        columns=[
            Column("volume", ("Kendaraan", "Vehicles"), colour=palette.ORANGE),
            Column(
                "complete",
                ("Kelengkapan", "Completeness"),
                unit="percent",
                colour=palette.SKY,
                more={
                    "custom.drawStyle": "line",
                    "custom.lineWidth": 2,
                    "custom.fillOpacity": 0,
                    "custom.axisPlacement": "right",
                    "max": 100,
                },
            ),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Arus per lajur", "Flow a lane"),
        (
            "Rata-rata, terendah dan tertinggi lajur, pada tingkat yang sesuai rentangnya (1 mnt sampai 1 hari).",
            "Mean, lowest and highest of the lanes, at the level that fits the range (1 min to 1 day).",
        ),
        ("history_flow", SERIES),
        size=(24, 9),
        fresh="fresh_history",
        unit=FLOW_UNIT,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
        decimals=0,
        columns=[
            Column("flow", ("Rata-rata", "Mean"), colour=palette.ORANGE),
            Column("lowest", ("Terendah", "Lowest"), colour=palette.GREY),
            Column("highest", ("Tertinggi", "Highest"), colour=palette.SKY),
        ],
    )
