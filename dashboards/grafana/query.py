"""The one query type that the SDK lacks: SQL for Grafana's PostgreSQL data source."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PLUGIN: Final = "grafana-postgresql-datasource"
SOURCE_UID: Final = "subak"
SOURCE: Final = DataSourceRef(type_val=PLUGIN, uid=SOURCE_UID)


class Format(StrEnum):
    """What Grafana makes of the rows.

    `TIME_SERIES` wants a column `time` in ascending order; text columns name series, numeric ones are values.
    """

    TABLE = "table"
    TIME_SERIES = "time_series"


class PostgresQuery(Dataquery, Builder[Dataquery]):
    """One target of a panel; also its own builder, since nothing about it needs building."""

    def __init__(self, sql: str, shape: Format, letter: str = "A") -> None:
        """SQL whose macros and variables Grafana expands."""
        self.sql = sql
        self.shape = shape
        self.letter = letter

    def build(self) -> Dataquery:
        """Itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana's query editor in code mode writes it."""
        return {
            "refId": self.letter,
            "datasource": SOURCE,
            "editorMode": "code",
            "format": self.shape.value,
            "rawQuery": True,
            "rawSql": self.sql,
        }
