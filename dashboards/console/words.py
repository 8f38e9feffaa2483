"""The console's words, Indonesian and English; a page speaks one of them, the codes behind them never change."""

from __future__ import annotations

from enum import StrEnum

from ingest.reasons import Reason


class Language(StrEnum):
    """A language of the page."""

    INDONESIAN = "id"
    ENGLISH = "en"


DEFAULT_LANGUAGE = Language.INDONESIAN

# Key: (Indonesian, English).
WORDS: dict[str, tuple[str, str]] = {
    "console": ("Konsol lalu lintas", "Traffic console"),
    "language": ("Bahasa", "Language"),
    # Drawing page of the cameras.
    "cameras": ("Kamera", "Cameras"),
    "camera_which": ("Kamera", "Camera"),
    "camera_who": ("Nama Anda", "Your name"),
    "camera_key": ("Kunci", "Key"),
    "camera_take": ("Ambil gambar", "Take a snapshot"),
    "camera_live": ("Lihat lintasan langsung", "See tracks live"),
    "camera_logged": (
        "Setiap gambar yang diminta dicatat atas nama Anda; gambar tidak disimpan.",
        "Each picture asked for is logged under your name; no picture is kept.",
    ),
    "camera_tool": ("Alat", "Tool"),
    "tool_line": ("Garis hitung", "Counting line"),
    "tool_zone": ("Zona", "Zone"),
    "camera_lane": ("Lajur", "Lane"),
    "camera_name": ("Nama zona", "Name of the zone"),
    "camera_close": ("Tutup zona", "Close the zone"),
    "camera_undo": ("Hapus yang terakhir", "Remove the last"),
    "camera_save": ("Simpan ke folder situs", "Save to the site folder"),
    "camera_hint": (
        "Berdirilah di titik pertama, lihat ke titik kedua: kendaraan dari kiri ke kanan dihitung (panah).",
        "Stand at the first point and look to the second: vehicles from left to right are counted (arrow).",
    ),
    "camera_saved": (
        "Disimpan di cameras.yaml. Jalankan ulang pekerja kamera agar berlaku.",
        "Saved in cameras.yaml. Start the camera worker again for it to count.",
    ),
    "camera_first": ("Ambil gambar dulu.", "Take a snapshot first."),
    "camera_none": ("Tidak ada kamera di situs ini.", "This site has no cameras."),
    # Heartbeat.
    "data_fresh": ("DATA {age}", "DATA {age}"),
    "data_old": ("DATA TUA {age}", "DATA {age} OLD"),
    "data_stopped": ("DATA BERHENTI {age}", "DATA STOPPED {age}"),
    "data_none": ("BELUM ADA DATA", "NO DATA YET"),
    "heartbeat": ("Data terbaru yang tersimpan", "Newest committed data"),
    "reporting": ("perangkat melapor", "devices reporting"),
    "lost": (
        "SAMBUNGAN KE KONSOL TERPUTUS sejak {since} — angka tidak lagi diperbarui",
        "CONNECTION TO THE CONSOLE LOST since {since} — figures are no longer updated",
    ),
    "database_away": (
        "BASIS DATA TIDAK TERJANGKAU sejak {since} — angka adalah keadaan saat itu",
        "DATABASE NOT REACHABLE since {since} — figures are as of then",
    ),
    "database_never": (
        "BASIS DATA BELUM TERJANGKAU — belum ada angka",
        "DATABASE NOT REACHED YET — no figures so far",
    ),
    # Map.
    "map": ("Peta koridor", "Corridor map"),
    "mode_speed": ("Kecepatan", "Speed"),
    "mode_age": ("Umur data", "Data age"),
    "up_to": ("s.d. menit {minute}", "up to minute {minute}"),
    "no_minute_yet": ("belum ada menit lengkap", "no complete minute yet"),
    "of_limit": ("dari batas kecepatan", "of the speed limit"),
    "free": ("Lancar", "Free"),
    "slow": ("Tersendat", "Slowed"),
    "dense": ("Padat", "Dense"),
    "jam": ("Macet", "Jammed"),
    "empty": ("Kosong (0 kend.)", "Empty (0 veh)"),
    "unknown": ("Tanpa data sah", "No valid data"),
    "unequipped": ("Tanpa detektor", "No detectors"),
    "fresh": ("Segar", "Fresh"),
    "ageing": ("Menua", "Ageing"),
    "stale": ("Usang", "Stale"),
    "ok": ("Normal", "Normal"),
    "warn": ("Perlu perhatian", "Needs attention"),
    "bad": ("Gangguan", "Failed"),
    "limit": ("batas", "limit"),
    "lanes_valid": ("lajur sah", "lanes valid"),
    "minutes": ("menit", "minutes"),
    "newest_valid": ("menit sah terakhir", "newest valid minute"),
    "last_heard": ("terakhir terdengar", "last heard"),
    "off_map": ("di luar peta", "off the map"),
    "click_link": ("klik: grafik lajurnya", "click: chart of its lane"),
    "seen_by": ("diamati", "seen by"),
    # Devices.
    "devices": ("Perangkat", "Devices"),
    "all": ("Semua", "All"),
    "attention": ("Keadaan", "State"),
    "kind": ("Jenis", "Kind"),
    "name": ("Perangkat", "Device"),
    "presence": ("Kehadiran", "Presence"),
    "heard": ("Terdengar", "Heard"),
    "minute_quality": ("Mutu menit terakhir", "Quality, latest minute"),
    "lost_15": ("Hilang di hulu, 15 mnt", "Lost upstream, 15 min"),
    "rejected_15": ("Ditolak, 15 mnt", "Rejected, 15 min"),
    "never": ("belum pernah", "never"),
    "none": ("—", "—"),
    "ago": ("lalu", "ago"),
    "online": ("daring", "online"),
    "offline": ("LURING", "OFFLINE"),
    "shutdown": ("DIMATIKAN", "SHUT DOWN"),
    "unsaid": ("tidak diketahui", "unknown"),
    "is_offline": ("Luring", "Offline"),
    "is_shutdown": ("Dimatikan", "Shut down"),
    "is_never": ("Belum terdengar", "Never heard"),
    "is_silent": ("Diam", "Silent"),
    "is_missing": ("Data hilang", "Data missing"),
    "is_lane_missing": ("Lajur hilang", "Lane missing"),
    "is_starting": ("Baru mulai", "Starting"),
    "is_suspect": ("Data diragukan", "Data suspect"),
    "is_losing": ("Kehilangan pesan", "Losing messages"),
    "is_rejected": ("Pesan ditolak", "Messages rejected"),
    "is_partial": ("Sebagian", "Partial"),
    "is_ok": ("Normal", "Normal"),
    "atc": ("APILL", "Signal"),
    "cctv": ("CCTV", "CCTV"),
    "vms": ("VMS", "VMS"),
    "net": ("Jaringan", "Network"),
    "wifi": ("Wi-Fi", "Wi-Fi"),
    "app": ("Aplikasi", "App"),
    # Quality.
    "quality": ("Mutu", "Quality"),
    "good": ("baik", "good"),
    "partial": ("sebagian", "partial"),
    "suspect": ("diragukan", "suspect"),
    "imputed": ("diperkirakan", "imputed"),
    "missing": ("hilang", "missing"),
    "no_row": ("hilang (tidak ada menit)", "missing (no minute)"),
    "provisional": ("sementara", "provisional"),
    "revised": ("revisi", "revision"),
    "complete": ("lengkap", "complete"),
    # Ledger.
    "ledger": ("Neraca pesan", "Message ledger"),
    "last_minutes": ("{minutes} menit terakhir", "last {minutes} minutes"),
    "received": ("diterima", "received"),
    "stored": ("disimpan", "stored"),
    "duplicate": ("ganda", "duplicate"),
    "rejected": ("ditolak", "rejected"),
    "lost_upstream": ("hilang di hulu", "lost upstream"),
    "late": ("terlambat", "late"),
    "balanced": ("SEIMBANG", "BALANCED"),
    "unbalanced": ("TIDAK SEIMBANG", "NOT BALANCED"),
    "no_messages": ("TIDAK ADA PESAN", "NO MESSAGES"),
    "unbalanced_rows": ("{rows} sumber-menit", "{rows} source-minutes"),
    "dead_letters": ("Surat mati", "Dead letters"),
    "unkept": ("+ {count} hanya dihitung", "+ {count} only counted"),
    "no_dead_letters": ("Tidak ada surat mati", "No dead letters"),
    # Chart.
    "chart": ("Lajur", "Lane"),
    "junction": ("Simpang", "Junction"),
    "approach": ("Kaki simpang", "Approach"),
    "lane": ("Lajur", "Lane"),
    "volume": ("Volume", "Volume"),
    "speed": ("Kecepatan", "Speed"),
    "occupancy": ("Okupansi", "Occupancy"),
    "veh_min": ("kend/menit", "veh/min"),
    "latest_minute": ("menit final", "final minute"),
    "detector": ("detektor", "detector"),
    "camera": ("kamera", "camera"),
    "nothing_valid": ("tidak ada pengamatan sah", "no valid observation"),
    "sm": ("Sepeda motor", "Motorcycle"),
    "mp": ("Mobil", "Car"),
    "ks": ("Sedang", "Medium"),
    "bb": ("Bus besar", "Large bus"),
    "tb": ("Truk besar", "Large truck"),
    "ktb": ("Tak bermotor", "Non-motorised"),
    "unclassified": ("Tanpa kelas", "Unclassified"),
    "gap": ("Hilang", "Missing"),
    # Signals.
    "signals": ("Sinyal APILL", "Signals"),
    "phase": ("Fase", "Phase"),
    "aspect_green": ("Hijau", "Green"),
    "aspect_yellow": ("Kuning", "Yellow"),
    "aspect_red": ("Merah", "Red"),
    "arrival_green": ("Tiba saat hijau", "Arrival on green"),
    "arrival_other": ("Tiba saat merah/kuning", "Arrival on red/yellow"),
    "arrivals": ("Kedatangan", "Arrivals"),
    "on_green": ("tiba saat hijau", "arrivals on green"),
    "split": ("Split", "Split"),
    "split_monitor": ("Pemantau split", "Split monitor"),
    "programmed": ("Split terprogram", "Programmed split"),
    "split_failure": ("Gagal split", "Split failure"),
    "no_split_failure": ("Hijau mencukupi", "Green sufficed"),
    "failures": ("gagal split/siklus", "split failures/cycles"),
    "gap_out": ("Gap-out", "Gap-out"),
    "max_out": ("Max-out", "Max-out"),
    "force_off": ("Force-off", "Force-off"),
    "skip": ("Dilewati", "Skipped"),
    "unsaid_end": ("Akhir tak disebut", "End not said"),
    "ends": ("akhir hijau", "ends of green"),
    "good_cycles": ("siklus baik", "good cycles"),
    "seconds_in_cycle": ("detik dalam siklus", "seconds in cycle"),
    "measured_until": ("terukur s.d. jam ini, {age} s lalu", "measured up to then, {age} s ago"),
    "measured_never": ("belum pernah diukur", "never measured"),
    "redoing": ("data terlambat sedang diukur ulang", "late data is being measured again"),
    "hour": ("j", "h"),
    "day": ("h", "d"),
}

# What a quality names in its brackets; faults that only a device knows stand as it says them.
_DETAILS: dict[str, tuple[str, str]] = {
    "device": ("tidak ada hitungan", "no counts"),
    "lane": ("lajur tidak dikirim", "lane not sent"),
    "detector": ("detektor tanpa hitungan", "detector without counts"),
    "detector:open_loop": ("loop putus", "open loop"),
    "detector:short_loop": ("loop hubung singkat", "shorted loop"),
    "clock": ("jam salah", "wrong clock"),
    "overlap": ("periode tumpang tindih", "overlapping periods"),
    "edge": ("melewati batas menit", "beyond the minute"),
    "locked_on": ("macet menyala", "stuck on"),
    "speed_high": ("kecepatan tak masuk akal", "speed too high"),
    "volume_high": ("volume tak masuk akal", "volume too high"),
    "split": ("dibagi per menit", "split over minutes"),
    "minutes": ("beberapa menit", "some minutes"),
}

# By value: a reason that a feed adds is told in English until it stands here.
_ADVICE: dict[str, str] = {
    "unknown_topic": "Topik tidak berbentuk subak/v1/{site}/{kind}/{device}/{stream}.",
    "unknown_site": "Topik menyebut situs lain; periksa konfigurasi perangkat atau SUBAK_SITE.",
    "unknown_device": "Perangkat tidak ada di folder situs; tambahkan di sana atau betulkan nama perangkat.",
    "unknown_stream": "Jenis perangkat ini tidak punya aliran itu; lihat docs/contract.md.",
    "unknown_lane": "Perangkat tidak punya lajur itu di folder situs; tambahkan di sana atau betulkan nama lajur.",
    "unknown_metric": "Metrik tidak ada di config/metrics.yaml untuk jenis perangkat ini; tambahkan di sana atau betulkan namanya.",
    "empty_payload": "Pesan tanpa isi (pesan retained yang dihapus memang kosong).",
    "not_utf8": "Isi pesan bukan teks UTF-8.",
    "not_json": "Isi pesan bukan JSON yang sah: terpotong, rusak, atau NaN dan Infinity, yang tidak ada di JSON.",
    "not_cbor": "Isi pesan bukan CBOR yang sah: terpotong, rusak, atau dalam sandi lain seperti JSON.",
    "not_protobuf": "Isi pesan bukan Sparkplug B yang sah: terpotong, rusak, atau dalam sandi lain seperti JSON.",
    "unknown_alias": "Arti alias belum diberitahukan, misalnya Subak mulai setelah birth simpul itu; minta rebirth (Node Control/Rebirth).",
    "stale_death": "Last will dari sesi yang sudah digantikan; abaikan, kecuali sering (dua klien dengan satu id).",
    "incomplete_count": "Pesan hanya menghitung satu jenis kendaraan, itu bukan volume lajur; kirim semua jenis satu lajur dan periode dalam satu pesan.",
    "too_deep": "Isi pesan bersarang terlalu dalam untuk pesan kita.",
    "too_large": "Isi pesan lebih besar daripada pesan kita mana pun; hanya awalnya disimpan.",
    "wrong_type": "Sebuah kolom tidak ada atau salah jenis; rinciannya menyebutkan kolom itu.",
    "out_of_range": "Sebuah nilai tidak mungkin benar (volume negatif, okupansi di atas 100); rinciannya menyebutkannya.",
    "time_in_future": "Jam perangkat lebih dari sehari di depan; setel jamnya.",
    "time_too_old": "Waktunya sebelum tahun 2000, seperti setelah baterai jam habis; setel jam perangkat.",
    "not_an_image": "Sebuah frame harus berupa satu gambar JPEG.",
    "decoder_fault": "Dekodernya sendiri gagal, ini kesalahan Subak: laporkan dengan isi pesan ini.",
    "storage_refused": "Basis data menolak nilai yang lolos di pintu: laporkan dengan isi pesan ini.",
}


def word(key: str, language: Language, **values: object) -> str:
    """The text of `key`, with its `{…}` marks filled.

    Raises:
        KeyError: There is no such text, or a mark has no value.
    """
    text = WORDS[key][0 if language is Language.INDONESIAN else 1]
    return text.format(**values) if values else text


def advice(reason: str, language: Language) -> str:
    """What to do about a dead letter's reason; empty for one that this program does not know."""
    try:
        english = Reason(reason).advice
    except ValueError:
        return ""
    return _ADVICE.get(reason, english) if language is Language.INDONESIAN else english


def quality_words(quality: str | None, language: Language) -> str:
    """A quality as words: `suspect(locked_on)` becomes `diragukan: macet menyala`; None is a minute that is not there."""
    if quality is None:
        return word("no_row", language)
    name, _, rest = quality.partition("(")
    code = rest.rstrip(")")
    known = _DETAILS.get(code)
    if known is not None:
        detail = known[0 if language is Language.INDONESIAN else 1]
    else:
        detail = code.rpartition(":")[2].replace("_", " ")
    return f"{word(name, language)}: {detail}" if detail else word(name, language)


def language_of(value: str | None) -> Language:
    """The language that an address asks for, else the default one."""
    try:
        return Language((value or "").lower())
    except ValueError:
        return DEFAULT_LANGUAGE
