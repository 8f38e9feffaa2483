"""6 Data quality and outages: what is silent, since when, why. 7 Pipeline: does the ledger balance, how late is the data."""

from __future__ import annotations

from dashboards.grafana import looks, palette
from dashboards.grafana.boards.shared import AGE, DEVICE, GOOD, KINDS, PRESENCE, begin
from dashboards.grafana.panels import BY_DEVICE, SERIES, TABLE, Column, Sheet


def quality(sheet: Sheet) -> None:
    """For technicians: where to go first."""
    begin(sheet, "fresh_devices", "fresh_site")
    sheet.panel(
        "stat",
        ("Perangkat diam", "Silent devices"),
        (
            "Luring, dimatikan, atau lebih dari tiga periode tanpa pesan.",
            "Offline, shut down, or more than three periods without a message.",
        ),
        ("quality_silent", TABLE),
        size=(6, 6),
        fresh="fresh_devices",
        unit="short",
        steps=palette.NONE_IS_BEST,
        options=looks.STAT,
        columns=[Column("silent", ("diam", "silent"))],
    )
    sheet.panel(
        "bargauge",
        ("Lajur terburuk", "Worst lanes"),
        ("Bagian menit baik dalam rentang, sepuluh terendah.", "Share of good minutes in the range, the ten lowest."),
        ("quality_worst_lanes", TABLE),
        size=(9, 10),
        fresh="fresh_site",
        unit="percent",
        steps=palette.GOOD_SHARE,
        span=(0, 100),
        decimals=0,
        options=looks.BARS,
    )
    sheet.panel(
        "timeseries",
        ("Masukan baik per simpang", "Good inputs by junction"),
        ("Bagian menit lajur yang baik.", "Share of the lane minutes that are good."),
        ("quality_share", SERIES),
        size=(9, 10),
        fresh="fresh_site",
        unit="percent",
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, 100),
        decimals=0,
    )
    sheet.panel(
        "table",
        ("Perangkat: diam sejak, mengapa", "Devices: silent since, why"),
        (
            "Yang perlu didatangi ada di atas. Mutu: yang paling sering selain baik, satu jam terakhir.",
            "What needs a visit is on top. Quality: the most frequent other than good, last hour.",
        ),
        ("quality_devices", TABLE),
        size=(24, 14),
        fresh="fresh_devices",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("kind", ("Jenis", "Kind"), mappings=KINDS),
            Column("device", DEVICE),
            Column("title", ("Tempat", "Place")),
            Column("state", ("Keadaan", "State"), mappings=PRESENCE, more=looks.COLOURED),
            Column("silent_since", ("Terakhir terdengar", "Last heard"), unit="dateTimeAsIsoNoDateIfToday"),
            AGE,
            GOOD,
            Column("worst", ("Mutu lain tersering", "Most frequent other quality")),
            Column("lost", ("Hilang di hulu, 1 jam", "Lost upstream, 1 h"), steps=palette.FEW, more=looks.COLOURED),
            Column("rejected", ("Ditolak, 1 jam", "Rejected, 1 h"), steps=palette.FEW, more=looks.COLOURED),
        ],
    )
    sheet.panel(
        "state-timeline",
        ("Gangguan", "Outages"),
        ("Kehadiran perangkat yang pernah hilang dalam rentang.", "Presence of the devices that were away in the range."),
        ("quality_outages", TABLE),
        size=(12, 9),
        fresh="fresh_devices",
        unit="string",
        options=looks.STATES,
        custom=looks.STATE_FIELDS,
        transformations=[BY_DEVICE],
        mappings=PRESENCE,
    )
    sheet.panel(
        "timeseries",
        ("Bin yang direvisi", "Revised bins"),
        ("Berapa kali data terlambat mengubah bin yang sudah final.", "How often late data changed bins that were final."),
        ("quality_revised", SERIES),
        size=(12, 9),
        fresh="fresh_site",
        unit="short",
        options=looks.SERIES,
        custom=looks.line(bars=True, fill=80),
        span=(0, None),
        columns=[Column("revised", ("Revisi", "Revisions"), colour=palette.ORANGE)],
    )


def pipeline(sheet: Sheet) -> None:
    """For the operators of the pipeline."""
    begin(sheet, "fresh_ledger")
    sheet.panel(
        "stat",
        ("Neraca", "Ledger"),
        (
            "Sumber-menit yang tidak seimbang: diterima = disimpan + ganda + ditolak. Harus 0.",
            "Source-minutes that do not balance: received = stored + duplicate + rejected. Must be 0.",
        ),
        ("pipeline_balance", TABLE),
        size=(6, 8),
        fresh="fresh_ledger",
        unit="short",
        options=looks.STAT,
        columns=[
            Column("unbalanced", ("tidak seimbang", "unbalanced"), steps=palette.NONE_IS_BEST),
            Column("source_minutes", ("diperiksa", "checked"), colour="#3A4B56"),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Pesan per menit", "Messages a minute"),
        ("Menurut neraca, menit tiba.", "By the ledger, minute of arrival."),
        ("pipeline_ledger", SERIES),
        size=(18, 8),
        fresh="fresh_ledger",
        unit="short",
        options=looks.SERIES,
        custom=looks.line(fill=60, stack=True, bars=True),
        span=(0, None),
        columns=[
            Column("stored", ("disimpan", "stored"), colour=palette.BLUE),
            Column("duplicate", ("ganda", "duplicate"), colour=palette.SKY),
            Column("rejected", ("ditolak", "rejected"), colour=palette.VERMILION),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Keterlambatan", "Lag"),
        (
            "Dari akhir yang diamati sampai tiba, pembacaan satu lajur setiap perangkat, jam terakhir rentang.",
            "From the end of what was observed to its arrival, readings of one lane of each device, last hour of the range.",
        ),
        ("pipeline_lag", SERIES),
        size=(8, 8),
        fresh="fresh_ledger",
        unit="s",
        options=looks.SERIES,
        custom=looks.line(),
        columns=[
            Column("p50", ("median", "median"), colour=palette.SKY),
            Column("p95", ("persentil 95", "95th percentile"), colour=palette.VERMILION),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Tundaan pengakuan", "Ack delay"),
        (
            "Dari diterima sampai diakui ke broker, sesudah COMMIT: rata-rata dan yang paling lambat per menit, semua penulis; dan transaksi paling lambat. Paling banyak 31 hari terakhir rentang.",
            "From receipt to acknowledgement to the broker, after COMMIT: mean and slowest message of a minute, all writers; and the slowest transaction. At most the newest 31 days of the range.",
        ),
        ("pipeline_acks", SERIES),
        size=(8, 8),
        fresh="fresh_ledger",
        unit="ms",
        options=looks.SERIES,
        custom=looks.line(),
        span=(0, None),
        columns=[
            Column("mean", ("rata-rata", "mean"), colour=palette.BLUE),
            Column("slowest", ("paling lambat", "slowest"), colour=palette.VERMILION),
            Column("transaction", ("transaksi", "transaction"), colour=palette.GREY),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Hilang di hulu dan terlambat", "Lost upstream and late"),
        (
            "Menurut nomor urut: hilang, ketemu lagi; dan pesan yang binnya sudah final.",
            "By sequence numbers: lost, recovered; and messages whose bin was final.",
        ),
        ("pipeline_lost", SERIES),
        size=(8, 8),
        fresh="fresh_ledger",
        unit="short",
        options=looks.SERIES,
        custom=looks.line(bars=True, fill=70),
        span=(0, None),
        columns=[
            Column("lost", ("hilang", "lost"), colour=palette.VERMILION),
            Column("recovered", ("ketemu", "recovered"), colour=palette.GREEN),
            Column("late", ("terlambat", "late"), colour=palette.YELLOW),
        ],
    )
    sheet.panel(
        "table",
        ("Surat mati menurut sebab", "Dead letters by reason"),
        ("Yang tidak dapat menjadi fakta; lihat `subak deadletters`.", "What could not become facts; see `subak deadletters`."),
        ("pipeline_letters", TABLE),
        size=(12, 8),
        fresh="fresh_ledger",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("reason", ("Sebab", "Reason")),
            Column("letters", ("Jumlah", "Count")),
            Column("last_at", ("Terakhir", "Last"), unit="dateTimeAsIsoNoDateIfToday"),
            Column("devices", ("Perangkat terlibat", "Devices involved")),
        ],
    )
    sheet.panel(
        "timeseries",
        ("Surat mati", "Dead letters"),
        ("Menurut sebab.", "By reason."),
        ("pipeline_letters_over_time", SERIES),
        size=(12, 8),
        fresh="fresh_ledger",
        unit="short",
        scheme=looks.BY_NAME,
        options=looks.SERIES,
        custom=looks.line(bars=True, stack=True, fill=70),
        span=(0, None),
    )
    sheet.panel(
        "table",
        ("Neraca menurut sumber", "Ledger by source"),
        ("Dalam rentang; yang paling banyak ditolak atau hilang dahulu.", "Over the range; most rejected or lost first."),
        ("pipeline_sources", TABLE),
        size=(24, 10),
        fresh="fresh_ledger",
        unit="short",
        options=looks.TABLE,
        custom=looks.CELLS,
        columns=[
            Column("device", DEVICE),
            Column("received", ("diterima", "received")),
            Column("stored", ("disimpan", "stored")),
            Column("duplicate", ("ganda", "duplicate")),
            Column("rejected", ("ditolak", "rejected"), steps=palette.FEW, more=looks.COLOURED),
            Column("lost", ("hilang di hulu", "lost upstream"), steps=palette.FEW, more=looks.COLOURED),
            Column("late", ("terlambat", "late")),
            Column("balanced", ("seimbang", "balanced"), unit="bool_yes_no"),
        ],
    )
