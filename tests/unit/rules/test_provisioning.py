"""Alerting files as Grafana reads them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from config.errors import ConfigFileError
from config.messages import approved_messages, fitting
from config.multi import misfit
from config.rules import rule_thresholds
from config.settings import DEFAULT_SITE
from config.site import load_site
from dashboards.grafana.build import PROVISIONING
from dashboards.rules.catalogue import rules_of
from dashboards.rules.provisioning import alerting_files

SITE = load_site(DEFAULT_SITE)
COMMITTED = PROVISIONING / "alerting"


def read(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(text)
    return loaded


def strings(node: object) -> list[str]:
    if isinstance(node, dict):
        return [text for key, value in node.items() for text in (*strings(key), *strings(value))]
    if isinstance(node, list):
        return [text for value in node for text in strings(value)]
    return [node] if isinstance(node, str) else []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped site to change."""
    return Path(shutil.copytree(DEFAULT_SITE, tmp_path / "site"))


FILES = alerting_files(SITE)
RULES = [rule for group in read(FILES["rules.yaml"])["groups"] for rule in group["rules"]]


def test_the_committed_files_are_what_the_code_gives() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.iterdir()} == FILES


def test_every_rule_has_hysteresis_and_keeps_its_state_without_data() -> None:
    for rule in RULES:
        assert ("KeepLast", "KeepLast") == (rule["noDataState"], rule["execErrState"])
        query, reduce, threshold = (part["model"] for part in rule["data"])
        assert ("subak", "time_series") == (rule["data"][0]["datasourceUid"], query["format"])
        assert ("A", "last", "dropNN") == (reduce["expression"], reduce["reducer"], reduce["settings"]["mode"])
        (condition,) = threshold["conditions"]
        fire, clear = condition["evaluator"], condition["unloadEvaluator"]
        assert {"gt", "lt"} == {fire["type"], clear["type"]}
        assert (fire["params"][0] > clear["params"][0]) == (fire["type"] == "gt")


def test_ids_are_unique_and_of_a_kind_that_grafana_takes() -> None:
    uids = [rule["uid"] for rule in RULES] + [
        receiver["uid"] for point in read(FILES["contact-points.yaml"])["contactPoints"] for receiver in point["receivers"]
    ]
    assert sorted(set(uids)) == sorted(uids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid) for uid in uids)
    titles = [rule["title"] for rule in RULES]
    assert sorted(set(titles)) == sorted(titles)
    # Grafana makes folders of what stands between slashes, and its page refuses them in names.
    assert not any("/" in title or "\\" in title for title in titles)


def test_every_audience_has_a_contact_point_and_a_route() -> None:
    (policy,) = read(FILES["policies.yaml"])["policies"]
    points = {point["name"] for point in read(FILES["contact-points.yaml"])["contactPoints"]}
    mutes = {timing["name"] for timing in read(FILES["mute-timings.yaml"])["muteTimes"]}
    routes = {route["object_matchers"][0][2]: route for route in policy["routes"]}

    assert {rule["labels"]["audience"] for rule in RULES} == set(routes)
    assert {route["receiver"] for route in routes.values()} | {policy["receiver"]} <= points
    assert ["subak-nyepi"] == routes["vms"]["mute_time_intervals"]
    assert "mute_time_intervals" not in routes["technician"]
    assert "subak-nyepi" in mutes


def test_nyepi_is_muted_from_six_to_six_by_the_site_clock() -> None:
    nyepi = read(FILES["mute-timings.yaml"])["muteTimes"][0]["time_intervals"][:2]

    assert [("06:00", "24:00", "19", "3"), ("00:00", "06:00", "20", "3")] == [
        (day["times"][0]["start_time"], day["times"][0]["end_time"], day["days_of_month"][0], day["months"][0]) for day in nyepi
    ]
    assert {"Asia/Makassar"} == {day["location"] for day in nyepi}


@pytest.mark.parametrize("name", ["contact-points.yaml", "policies.yaml", "mute-timings.yaml", "templates.yaml"])
def test_no_dollar_is_left_to_an_accident(name: str) -> None:
    """These files expand `$VAR` and `${VAR}`; a lone dollar would vanish."""
    rest = re.sub(r"\$\{SUBAK_[A-Z_]+\}|\$\$", "", " ".join(strings(read(FILES[name]))))

    assert "$" not in rest


def test_annotations_and_labels_expand_nothing_of_the_environment() -> None:
    for rule in RULES:
        assert not any("$" in text for text in strings(rule["labels"]))
        assert [] == re.findall(r"\$\{(\w+)\}", " ".join(rule["annotations"].values()))


def test_traffic_alerts_name_signs_message_and_console_in_both_languages() -> None:
    for rule in RULES:
        if rule["labels"]["audience"] == "vms":
            assert {"signs", "message", "message_text", "console", "summary_id", "summary_en", "todo_id", "todo_en"} <= set(
                rule["annotations"]
            )
            columns = rule["data"][0]["model"]["rawSql"]
            assert "v.signs, v.message, v.says" in columns


def test_the_committed_files_need_no_secret() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", " ".join(FILES.values())))

    assert set() == used


def test_webhook_and_telegram_take_their_secrets_from_the_environment(folder: Path) -> None:
    (folder / "contacts.yaml").write_text("language: en\nvms: [{type: webhook}, {type: telegram}]\n", encoding="utf-8")

    points = read(alerting_files(load_site(folder))["contact-points.yaml"])["contactPoints"]

    webhook, telegram = (receiver["settings"] for receiver in points[0]["receivers"])
    assert "${SUBAK_ALERT_WEBHOOK_SECRET}" == webhook["hmacConfig"]["secret"]
    assert ("${SUBAK_ALERT_TELEGRAM_TOKEN}", "${SUBAK_ALERT_TELEGRAM_CHAT_VMS}") == (telegram["bottoken"], telegram["chatid"])
    assert '{{ template "subak.message.en" . }}' == telegram["message"]


def test_a_site_changes_a_threshold_or_does_without_a_rule(folder: Path) -> None:
    (folder / "rules.yaml").write_text(
        "rules:\n  queue: {fire: {value: 60, unit: '%', source: trial, date: 2027-01-31}}\n  lag: {off: Watched elsewhere.}\n",
        encoding="utf-8",
    )

    rules = {rule.name: rule for rule in rules_of(load_site(folder))}

    assert (60, 20) == (rules["queue"].thresholds.fire.value, rules["queue"].thresholds.clear.value)
    assert "lag" not in rules


WRONG = [
    ("rules.yaml", "rules: {qeue: {off: never}}", "rules.qeue: is no rule; allowed are camera-condition"),
    (
        "rules.yaml",
        "rules: {queue: {values: {windo: {value: 1, unit: m, source: s, date: 2027-01-01}}}}",
        "is no value of this rule",
    ),
    ("rules.yaml", "rules: {queue: {fire: {value: 10, unit: m, source: s, date: 2027-01-01}}}", "must lie below fire, 10"),
    (
        "messages.yaml",
        "approved_by: x\ndate: 2027-01-01\nmessages: [{id: a, multi: SEVENTEEN LETTERS, means: {id: x, en: y}}]",
        "a.multi: does not fit vms-bypass-utara: the line 'SEVENTEEN LETTERS' has 17 characters, the sign shows 15",
    ),
    (
        "messages.yaml",
        "approved_by: x\ndate: 2027-01-01\nmessages: [{id: a, multi: A, means: {id: x, en: y}, junctions: [nowhere]}]",
        "a.junctions: 'nowhere' is no junction",
    ),
    (
        "messages.yaml",
        "approved_by: x\ndate: 2027-01-01\nmessages: [{id: a, multi: A, means: {id: x, en: y}, rules: [qeue]}]",
        "'qeue' is no alert rule",
    ),
    (
        "calendar.yaml",
        "occasions: {x: {title: {en: X}, mutes: [all], spans: [{first: 2027-01-01, last: 2027-01-02, source: s}]}}",
        "'all' is no audience; allowed are vms, technician, pipeline",
    ),
    (
        "calendar.yaml",
        "occasions: {x: {title: {en: X}, spans: [{first: 2027-01-02, last: 2027-01-01, source: s}]}}",
        "ends before it begins",
    ),
    ("contacts.yaml", "vms: [{type: email}]", "an email needs them"),
    (
        "corridors.yaml",
        "corridors: [{id: x, title: X, links: [canggu-to-berawa, airport-to-bypass-kuta]}]",
        "begins at gate-airport, but",
    ),
    ("corridors.yaml", "corridors: [{id: x, title: X, links: [canggu-to-berawi]}]", "is no link of roads.yaml"),
]


@pytest.mark.parametrize(("file", "content", "expected"), WRONG)
def test_a_wrong_site_file_is_told_by_name_and_what_is_allowed(folder: Path, file: str, content: str, expected: str) -> None:
    (folder / file).write_text(content, encoding="utf-8")

    with pytest.raises(ConfigFileError) as caught:
        alerting_files(load_site(folder))

    assert file in str(caught.value)
    assert expected in str(caught.value)


def test_the_message_that_names_the_place_is_preferred() -> None:
    messages = approved_messages(SITE)

    chosen = [fitting(messages, "queue", junction, "E") for junction in ("dewa-ruci", "canggu")]
    assert ["queue-dewa-ruci", "queue-ahead"] == [message.id for message in chosen if message]
    assert fitting(messages, "lag", "canggu", "E") is None


@pytest.mark.parametrize(
    ("multi", "expected"),
    [
        ("[jl3]QUEUE AHEAD[nl]SLOW DOWN[np]ANTREAN", ""),
        ("1234567890123456", "the line '1234567890123456' has 16 characters, the sign shows 15"),
        ("A[nl]B[nl2]C[nl]D", "has 4 lines on a page, the sign shows 3"),
        ("A[np]B[np]C", "has 3 pages, the sign shows 2"),
    ],
)
def test_whether_a_message_has_room(multi: str, expected: str) -> None:
    assert expected == misfit(multi, 15, 3, 2)


def test_every_shipped_threshold_says_where_it_comes_from() -> None:
    for rule in rule_thresholds().values():
        for limit in (rule.fire, rule.clear, rule.hold, rule.keep, *rule.values.values()):
            assert all((limit.unit, limit.source, limit.date))


def test_a_name_with_a_quote_stays_a_name(folder: Path) -> None:
    text = (folder / "messages.yaml").read_text(encoding="utf-8").replace("ARUS PADAT", "ARUS 'PADAT'")
    (folder / "messages.yaml").write_text(text, encoding="utf-8")

    sql = next(rule.sql for rule in rules_of(load_site(folder)) if rule.name == "speed-collapse")

    assert "ARUS ''PADAT''" in sql


def test_a_site_without_cameras_and_signs_has_rules_too(folder: Path) -> None:
    (folder / "cameras.yaml").write_text("cameras: []\n", encoding="utf-8")
    (folder / "signs.yaml").write_text("signs: []\n", encoding="utf-8")
    text = re.sub(r"serves: \[[^\]]*\], ", "", (folder / "sensors.yaml").read_text(encoding="utf-8"))
    (folder / "sensors.yaml").write_text(text, encoding="utf-8")

    rules = {rule.name: rule.sql for rule in rules_of(load_site(folder))}

    assert "('', '', '', '', '')" in rules["wrong-way"]
    assert "('dewa-ruci', 'E', '-', '-', '-')" in rules["queue"]
