"""Building one board: panels set side by side in a grid of 24, each with title, description, age and share of good inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model
from msgspec import Struct

from config.site import Site
from dashboards.console.words import Language
from dashboards.grafana.palette import CALM, Steps
from dashboards.grafana.query import SOURCE, Format, PostgresQuery
from dashboards.grafana.statements import statement
from dashboards.grafana.words import Text, say

COLUMNS: Final = 24
TABLE, SERIES = Format.TABLE, Format.TIME_SERIES
# Rows of text become a series for each value of `metric`: Grafana's time series format does that for numbers only.
BY_DEVICE: Final = model.DataTransformerConfig(
    id_val="partitionByValues", options={"fields": ["metric"], "keepFields": False, "naming": {"asLabels": False}}
)
NO_DATA: Final[Text] = ("Tidak ada data dalam rentang ini", "No data in this range")


class Column(Struct, frozen=True):
    """How a column of the answer is shown.

    Attributes:
        name: In the answer.
        title: For people.
        unit: Grafana's id of a unit; empty keeps the panel's.
        colour: Fixed.
        steps: Colours by value.
        mappings: Value to (text, colour).
        more: Further properties by Grafana's id.
    """

    name: str
    title: Text
    unit: str = ""
    colour: str = ""
    steps: Steps | None = None
    mappings: Mapping[str, tuple[Text, str]] | None = None
    more: Mapping[str, object] = {}


class Annotated(model.AnnotationTarget):
    """The query of an annotation, which the SDK knows for Grafana's own data source only."""

    def __init__(self, query: PostgresQuery) -> None:
        """Ask `query`."""
        super().__init__()
        self.query = query

    def to_json(self) -> dict[str, object]:
        """As any target."""
        return self.query.to_json()


def steps_of(steps: Steps) -> build.ThresholdsConfig:
    """Thresholds by absolute value."""
    found = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


def mapped(mappings: Mapping[str, tuple[Text, str]], language: Language) -> list[model.ValueMapping]:
    """Values as words and colours."""
    results = {
        key: model.ValueMappingResult(text=say(text, language), color=colour, index=index)
        for index, (key, (text, colour)) in enumerate(mappings.items())
    }
    return [model.ValueMap(options=results)]


class Sheet:
    """A board under construction, in one language."""

    def __init__(self, site: Site, language: Language, name: str, title: Text, about: Text, *, past: str, refresh: str) -> None:
        """An empty board.

        Args:
            site: Whose time zone and roads it has.
            language: Of all its texts.
            name: In its uid and its file.
            title: Of the board.
            about: What question it answers.
            past: Begin of the default range, such as `now-6h`.
            refresh: How often, such as `30s`.
        """
        self.site, self.language, self.name = site, language, name
        self._ids = 0
        self._taken: set[tuple[int, int]] = set()
        self.board = (
            build.Dashboard(self.say(title))
            .uid(uid_of(name, language))
            .description(self.say(about))
            .tags(["subak", language.value])
            .timezone(site.general.timezone)
            .readonly()
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .time(past, "now")
            .refresh(refresh)
            .timepicker(build.TimePicker().refresh_intervals(["5s", "10s", "30s", "1m", "5m", "15m", "1h"]))
        )

    def say(self, text: Text) -> str:
        """A text in the board's language."""
        return say(text, self.language)

    def sql(self, name: str, **words: str) -> str:
        """A statement in the board's language."""
        return statement(name, self.language, zone=self.site.general.timezone, **words)

    def variable(self, name: str, label: Text, *, several: bool = False, hidden: bool = False) -> None:
        """A variable whose values are the answer of `variable_{name}`, or of `{name}` for a hidden one."""
        built = (
            build.QueryVariable(name)
            .label(self.say(label))
            .datasource(SOURCE)
            .query(self.sql(name if hidden else f"variable_{name}"))
            .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED if hidden else model.VariableRefresh.ON_DASHBOARD_LOAD)
            .sort(model.VariableSort.DISABLED)
            .hide(model.VariableHide.HIDE_VARIABLE if hidden else model.VariableHide.DONT_HIDE)
            .multi(several)
            .include_all(several)
        )
        if several:
            # Inserted as it is: a condition that holds for all, whether there are values or none.
            built = built.all_value("'__all'").current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
        self.board.with_variable(built)

    def annotation(self, name: str, title: Text, colour: str, **words: str) -> None:
        """Marks on every time axis; words fill the statement."""
        self.board.annotation(
            build.AnnotationQuery()
            .name(self.say(title))
            .datasource(SOURCE)
            .enable(True)
            .icon_color(colour)
            .target(_Built(Annotated(PostgresQuery(self.sql(name, **words), TABLE, "Anno"))))
        )

    def link(self, title: Text, url: str) -> None:
        """A link at the top of the board that keeps range and variables."""
        self.board.link(
            build.DashboardLink(self.say(title))
            .type(model.DashboardLinkType.LINK)
            .url(url)
            .icon("external link")
            .keep_time(True)
            .include_vars(True)
        )

    def panel(
        self,
        kind: str,
        title: Text,
        about: Text,
        *queries: tuple[str, Format] | tuple[str, Format, Mapping[str, str]],
        size: tuple[int, int],
        fresh: str,
        unit: str,
        columns: Sequence[Column] = (),
        options: Mapping[str, object] | None = None,
        custom: Mapping[str, object] | None = None,
        steps: Steps = CALM,
        scheme: model.FieldColorModeId | None = None,
        mappings: Mapping[str, tuple[Text, str]] | None = None,
        span: tuple[float | None, float | None] = (None, None),
        decimals: int | None = None,
        link: tuple[Text, str] | None = None,
        transformations: Sequence[model.DataTransformerConfig] = (),
        none: Text = NO_DATA,
    ) -> None:
        """Set a panel into the next free place.

        Args:
            kind: Grafana's type of panel.
            title: What it shows.
            about: How to read it, with its definition.
            queries: Statements and what Grafana makes of their rows.
            size: Width and height in cells.
            fresh: The hidden variable that says age and share of good inputs; its text ends the title.
            unit: Grafana's id of the unit.
            columns: Exceptions by column.
            options: Of the panel type.
            custom: Of its fields.
            steps: Colours by value.
            scheme: Where colours come from; thresholds when left out.
            mappings: Values as words.
            span: Least and greatest value of the axis.
            decimals: Of numbers.
            link: Title and address where a click leads.
            transformations: Of the answer.
            none: What it says when the answer has no row.
        """
        self._ids += 1
        letters = "ABCDEFGH"
        made = (
            build.Panel()
            .id(self._ids)
            .type(kind)
            .title(f"{self.say(title)} · ${{{fresh}}}")
            .description(self.say(about))
            .datasource(SOURCE)
            .grid_pos(self._place(*size))
            .unit(unit)
            .no_value(self.say(none))
            .thresholds(steps_of(steps))
            .color_scheme(build.FieldColor().mode(scheme or model.FieldColorModeId.THRESHOLDS))
            .targets(
                [
                    PostgresQuery(self.sql(query[0], **(query[2] if len(query) == 3 else {})), query[1], letters[index])
                    for index, query in enumerate(queries)
                ]
            )
            .transformations(list(transformations))
        )
        if options is not None:
            made.options(dict(options))
        if custom is not None:
            made.custom(dict(custom))
        if mappings is not None:
            made.mappings(mapped(mappings, self.language))
        if decimals is not None:
            made.decimals(decimals)
        if span[0] is not None:
            made.min(span[0])
        if span[1] is not None:
            made.max(span[1])
        if link is not None:
            made.data_links([build.DashboardLink(self.say(link[0])).url(link[1])])
        for column in columns:
            made.override_by_name(column.name, self._properties(column))
        self.board.with_panel(made)

    def _properties(self, column: Column) -> list[model.DynamicConfigValue]:
        found: list[tuple[str, object]] = [("displayName", self.say(column.title))]
        if column.unit:
            found.append(("unit", column.unit))
        if column.colour:
            found.append(("color", {"mode": "fixed", "fixedColor": column.colour}))
        if column.steps is not None:
            found += [("thresholds", steps_of(column.steps).build()), ("color", {"mode": "thresholds"})]
        if column.mappings is not None:
            found.append(("mappings", mapped(column.mappings, self.language)))
        found += list(column.more.items())
        return [model.DynamicConfigValue(id_val=key, value=value) for key, value in found]

    def _place(self, width: int, height: int) -> model.GridPos:
        """The highest free place, the leftmost of those: small panels fill what big ones leave."""
        y = 0
        while True:
            for x in range(COLUMNS - width + 1):
                cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
                if not cells & self._taken:
                    self._taken |= cells
                    return model.GridPos(x=x, y=y, w=width, h=height)
            y += 1


class _Built(Builder[model.AnnotationTarget]):
    """What is built already, where the SDK wants a builder."""

    def __init__(self, value: Annotated) -> None:
        self._value = value

    def build(self) -> model.AnnotationTarget:
        """It."""
        return self._value


def uid_of(name: str, language: Language) -> str:
    """Fixed uid of a board."""
    return f"subak-{name}-{language.value}"
