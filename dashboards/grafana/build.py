"""All boards in both languages, as the files that Grafana's provisioning reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from msgspec import Struct

from config.site import Site
from dashboards.console.words import Language
from dashboards.grafana.boards import field, health, junction, wall
from dashboards.grafana.geojson import roads
from dashboards.grafana.panels import Sheet
from dashboards.grafana.words import Text
from dashboards.rules.provisioning import alerting_files

PROVISIONING: Final = Path(__file__).parent.parent / "provisioning"
FOLDERS: Final[dict[Language, tuple[str, str]]] = {
    Language.INDONESIAN: ("subak-id", "Subak"),
    Language.ENGLISH: ("subak-en", "Subak (English)"),
}
SCHEMA_VERSION: Final = 39  # of Grafana 11; later ones migrate it on reading


class Board(Struct, frozen=True):
    """A board: its question and the function that builds it."""

    name: str
    title: Text
    about: Text
    past: str
    refresh: str
    build: Callable[[Sheet], None]


BOARDS: Final = (
    Board("wall", ("1 Dinding", "1 Wall"), ("Apakah jaringan bergerak, dapatkah datanya dipercaya, apa yang dibaca pengemudi?", "Is the network moving, can the data be trusted, what do drivers read?"), "now-3h", "10s", wall.wall),
    Board("corridor", ("2 Koridor", "2 Corridor"), ("Di mana dan sejak kapan koridor tersendat?", "Where along the corridor does traffic stand, and since when?"), "now-3h", "1m", wall.corridor),
    Board("junction", ("3 Simpang", "3 Junction"), ("Apa yang datang ke simpang ini dan bagaimana alirannya?", "What arrives at this junction, and how does it flow?"), "now-3h", "30s", junction.junction),
    Board("cameras", ("4 Kamera", "4 Cameras"), ("Dapatkah setiap kamera melihat?", "Can each camera see?"), "now-6h", "30s", field.cameras),
    Board("signs", ("5 VMS", "5 Signs"), ("Apa yang dibaca pengemudi, dengan hak apa, sejak kapan?", "What do drivers read, by what right, since when?"), "now-6h", "10s", field.signs),
    Board("quality", ("6 Mutu data dan gangguan", "6 Data quality and outages"), ("Apa yang diam, sejak kapan, mengapa?", "What is silent, since when, why?"), "now-6h", "30s", health.quality),
    Board("pipeline", ("7 Saluran data", "7 Pipeline"), ("Apakah neracanya seimbang, seberapa terlambat datanya?", "Does the ledger balance, how late is the data?"), "now-3h", "30s", health.pipeline),
    Board("city", ("8 Sensor kota", "8 City sensors"), ("Bagaimana jaringan, Wi-Fi publik dan aplikasi?", "How are network, public Wi-Fi and applications?"), "now-6h", "1m", field.city),
    Board("history", ("9 Riwayat", "9 History"), ("Apakah ini biasa?", "Is this usual?"), "now-28d", "15m", junction.history),
)  # fmt: skip


def dashboard(board: Board, site: Site, language: Language) -> dict[str, Any]:
    """One board as classic JSON of schema v1."""
    sheet = Sheet(site, language, board.name, board.title, board.about, past=board.past, refresh=board.refresh)
    board.build(sheet)
    built: dict[str, Any] = json.loads(json.dumps(sheet.board.build(), cls=JSONEncoder))
    built["schemaVersion"] = SCHEMA_VERSION
    return built


def files(site: Site) -> Iterator[tuple[str, str]]:
    """Every generated file: its path below `dashboards/provisioning` and its text."""
    for language in Language:
        for board in BOARDS:
            text = json.dumps(dashboard(board, site, language), indent=1, ensure_ascii=False)
            yield f"dashboards/{language.value}/{board.name}.json", text + "\n"
    yield f"maps/{site.name}.geojson", roads(site)
    for name, text in alerting_files(site).items():
        yield f"alerting/{name}", text
