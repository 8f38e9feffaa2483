"""Alert rules, contact points, policies, mute timings and texts as Grafana's provisioning files.

In these files `$` is interpolated differently by place (`pkg/services/provisioning/alerting`, Grafana 11 to 13): queries are taken
as they are, annotations expand `${VAR}` alone, and everything else expands `$VAR` too, so that `$$` stands for a dollar there.
"""

from __future__ import annotations

import io
from datetime import date, time, timedelta
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from config.calendar import Calendar, Span, load_calendar
from config.contacts import Contacts, Receiver, load_contacts
from config.site import Site
from dashboards.rules.catalogue import LANGUAGES, Audience, Rule, rules_of
from dashboards.rules.state import MISSING_EVALUATIONS
from dashboards.rules.templates import TEMPLATES

ORGANISATION: Final = 1
SOURCE: Final = "subak"  # uid of the data source
FOLDER: Final = "Subak – peringatan (alerts)"
TITLES: Final[dict[Audience, str]] = {
    "vms": "Subak – operator VMS",
    "technician": "Subak – teknisi (technicians)",
    "pipeline": "Subak – pipeline",
}
JUNCTION_LINK: Final = (
    "/d/subak-{board}-{language}?var-site={{{{ $labels.site }}}}&var-junction={{{{ $labels.junction }}}}"
    "&var-approach={{{{ $labels.approach }}}}"
)
DEVICE_LINK: Final = "/d/subak-{board}-{language}?var-site={{{{ $labels.site }}}}"
# While a state is only kept for lack of data there is no B, and its number would read as 0.
VALUE: Final = '{{ if $values.B.Labels }}{{ printf "%.1f" $values.B.Value }}{{ else }}?{{ end }}'
Node = dict[str, Any]


def alerting_files(site: Site) -> dict[str, str]:
    """The files of `alerting/`, by name, for a site.

    Raises:
        ConfigFileError: A file of the site folder does not fit.
    """
    contacts, calendar = load_contacts(site.path), load_calendar(site.path)
    return {
        "rules.yaml": _text({"groups": groups(rules_of(site), site.general.console_url)}),
        "contact-points.yaml": _text({"contactPoints": contact_points(contacts)}),
        "policies.yaml": _text({"policies": [policy(calendar)]}),
        "mute-timings.yaml": _text({"muteTimes": mute_timings(calendar, site.general.timezone)}),
        "templates.yaml": _text({"templates": [_template(name, text) for name, text in TEMPLATES.items()]}),
    }


def groups(rules: list[Rule], console_url: str) -> list[Node]:
    """Rule groups: one for each audience and interval, since a group is evaluated in one go."""
    found: dict[tuple[Audience, int], list[Node]] = {}
    for rule in rules:
        found.setdefault((rule.definition.audience, rule.definition.every), []).append(rule_node(rule, console_url))
    return [
        {"orgId": ORGANISATION, "name": f"{audience}-{every}s", "folder": FOLDER, "interval": f"{every}s", "rules": nodes}
        for (audience, every), nodes in found.items()
    ]


def rule_node(rule: Rule, console_url: str) -> Node:
    """One rule: query A, its last value B, and the threshold with hysteresis C."""
    limits, definition = rule.thresholds, rule.definition
    reach = {"from": definition.range, "to": 0}
    away, back = ("gt", "lt") if limits.fires == "above" else ("lt", "gt")
    return {
        "uid": rule.uid,
        "title": f"{definition.title.id} · {definition.title.en}",
        "condition": "C",
        "for": f"{limits.hold.value:g}s",
        "keepFiringFor": f"{limits.keep.value:g}s",
        # What cannot be known changes nothing: that data is missing is an alert of its own.
        "noDataState": "KeepLast",
        "execErrState": "KeepLast",
        "missing_series_evals_to_resolve": MISSING_EVALUATIONS,
        "labels": {"audience": definition.audience, "severity": definition.severity, "rule": rule.name},
        "annotations": notes(rule, console_url),
        "data": [
            {
                "refId": "A",
                "relativeTimeRange": reach,
                "datasourceUid": SOURCE,
                "model": {
                    "refId": "A",
                    "datasource": {"type": "grafana-postgresql-datasource", "uid": SOURCE},
                    "format": "time_series",
                    "rawQuery": True,
                    "editorMode": "code",
                    "rawSql": LiteralScalarString(rule.sql),
                },
            },
            {
                "refId": "B",
                "relativeTimeRange": reach,
                "datasourceUid": "__expr__",
                "model": {
                    "refId": "B",
                    "datasource": {"type": "__expr__", "uid": "__expr__"},
                    "type": "reduce",
                    "expression": "A",
                    "reducer": "last",
                    # Without this, a value that is not there would be compared as "not a number" and clear the alert.
                    "settings": {"mode": "dropNN"},
                },
            },
            {
                "refId": "C",
                "relativeTimeRange": reach,
                "datasourceUid": "__expr__",
                "model": {
                    "refId": "C",
                    "datasource": {"type": "__expr__", "uid": "__expr__"},
                    "type": "threshold",
                    "expression": "B",
                    "conditions": [
                        {
                            "evaluator": {"type": away, "params": [limits.fire.value]},
                            "unloadEvaluator": {"type": back, "params": [limits.clear.value]},
                        }
                    ],
                },
            },
        ],
    }


def notes(rule: Rule, console_url: str) -> dict[str, str]:
    """What people read: in both languages, with the way to the board and to the console."""
    definition = rule.definition
    is_traffic = definition.audience == "vms"
    texts: dict[str, str] = {}
    for language in LANGUAGES:
        texts[f"summary_{language}"] = definition.summary.of(language).replace("{value}", VALUE)
        texts[f"todo_{language}"] = definition.todo.of(language)
        link = JUNCTION_LINK if is_traffic else DEVICE_LINK
        texts[f"board_{language}"] = link.format(board=definition.board, language=language)
    texts["summary"] = f"{texts['summary_id']} · {texts['summary_en']}"
    texts["description"] = f"{texts['todo_id']} · {texts['todo_en']}"
    texts["console"] = f"{console_url.rstrip('/')}/" + ("?junction={{ $labels.junction }}" if is_traffic else "")
    if is_traffic:
        texts["signs"] = "{{ $labels.signs }}"
        texts["message"] = "{{ $labels.message }}"
        texts["message_text"] = "{{ $labels.says }}"
    return texts


def contact_points(contacts: Contacts) -> list[Node]:
    """A contact point for each audience, in the ways that the site has chosen."""
    return [
        {
            "orgId": ORGANISATION,
            "name": title,
            "receivers": [
                _receiver(audience, number, receiver, contacts) for number, receiver in enumerate(contacts.of(audience), 1)
            ],
        }
        for audience, title in TITLES.items()
    ]


def _receiver(audience: Audience, number: int, receiver: Receiver, contacts: Contacts) -> Node:
    body = f'{{{{ template "subak.message.{contacts.language}" . }}}}'
    title = f'{{{{ template "subak.title.{contacts.language}" . }}}}'
    if receiver.type == "webhook":
        settings: Node = {
            "url": "${SUBAK_ALERT_WEBHOOK_URL}",
            "httpMethod": "POST",
            "title": title,
            "message": body,
            "hmacConfig": {
                "secret": "${SUBAK_ALERT_WEBHOOK_SECRET}",
                "header": "X-Grafana-Alerting-Signature",
                "timestampHeader": "X-Grafana-Alerting-Timestamp",
            },
        }
    elif receiver.type == "telegram":
        settings = {
            "bottoken": "${SUBAK_ALERT_TELEGRAM_TOKEN}",
            "chatid": f"${{SUBAK_ALERT_TELEGRAM_CHAT_{audience.upper()}}}",
            # Without markup: names hold underscores and hyphens.
            "parse_mode": "None",
            "message": body,
        }
    else:
        settings = {"addresses": ";".join(receiver.addresses), "singleEmail": True, "subject": title, "message": body}
    return {"uid": f"subak-{audience}-{number}", "type": receiver.type, "settings": settings}


def policy(calendar: Calendar) -> Node:
    """Who gets what; what nobody asked for, such as Grafana's own alerts, goes to the pipeline's people."""
    return {
        "orgId": ORGANISATION,
        "receiver": TITLES["pipeline"],
        "group_by": ["grafana_folder", "alertname"],
        "routes": [
            {
                "receiver": title,
                "object_matchers": [["audience", "=", audience]],
                "group_by": _grouping(audience),
                "group_wait": "10s" if audience == "vms" else "30s",
                "group_interval": "1m" if audience == "vms" else "5m",
                "repeat_interval": "30m" if audience == "vms" else "4h",
                **({"mute_time_intervals": muted} if (muted := _mutes(calendar, audience)) else {}),
            }
            for audience, title in TITLES.items()
        ],
    }


def _grouping(audience: Audience) -> list[str]:
    return ["alertname", "junction"] if audience == "vms" else ["alertname"]


def _mutes(calendar: Calendar, audience: Audience) -> list[str]:
    return [f"subak-{name}" for name, occasion in calendar.occasions.items() if audience in occasion.mutes]


def mute_timings(calendar: Calendar, timezone: str) -> list[Node]:
    """The occasions of the calendar as mute timings, day by day since Grafana knows no interval beyond midnight."""
    return [
        {
            "orgId": ORGANISATION,
            "name": f"subak-{name}",
            "time_intervals": [part for span in occasion.spans for part in _days(span, timezone)],
        }
        for name, occasion in calendar.occasions.items()
    ]


def _days(span: Span, timezone: str) -> list[Node]:
    days: list[Node] = []
    day = span.first
    while day <= span.last:
        begins = span.begins if day == span.first else time(0)
        ends = span.ends if day == span.last else None
        if ends is None or ends > begins:
            days.append(_day(day, begins, ends, timezone))
        day += timedelta(days=1)
    return days


def _day(day: date, begins: time, ends: time | None, timezone: str) -> Node:
    return {
        "times": [{"start_time": _clock(begins), "end_time": _clock(ends)}],
        "days_of_month": [str(day.day)],
        "months": [str(day.month)],
        "years": [str(day.year)],
        "location": timezone,
    }


def _clock(moment: time | None) -> str:
    # Quoted: some readers of YAML take 06:00 for a number of base 60.
    clock: str = DoubleQuotedScalarString("24:00" if moment is None else f"{moment:%H:%M}")
    return clock


def _template(name: str, text: str) -> Node:
    # Grafana expands `$` in templates as in other values.
    return {"orgId": ORGANISATION, "name": name, "template": LiteralScalarString(text.replace("$", "$$"))}


def _text(content: Node) -> str:
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    out.write("# Made by `subak dashboards build` from the site folder; do not edit.\n")
    yaml.dump({"apiVersion": 1, **content}, out)
    return out.getvalue()
