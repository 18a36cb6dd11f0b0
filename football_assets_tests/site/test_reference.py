"""The pages that are generated from the code: each has what the code has, and its links lead to pages and anchors."""

import posixpath
import re
from pathlib import Path

import click
import pytest
import yaml

from football_assets.cli import football
from football_assets.definitions import defs
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.settings import Settings
from football_assets_tests.site import (
    alerts,
    asset_pages,
    automation,
    commands,
    features,
    http_api,
    run_config,
    tables,
    variables,
)
from football_assets_tests.site.pages import SOURCES, Pages
from serve.problems import STATUSES

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!\w+:)(?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
ANCHOR = re.compile(r"\{ #([\w-]+) \}|id=\"([\w-]+)\"")
FENCE = re.compile(r"^ *(```|~~~).*?^ *\1", re.M | re.S)


def rows(text: str) -> list[list[str]]:
    """The rows of all tables of a page, without headers."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def row_of(text: str, name: str) -> list[str]:
    """The row whose first cell has a name as inline code."""
    (row,) = (row for row in rows(text) if f"`{name}`" in row[0])
    return row


def section(text: str, anchor: str) -> str:
    """The part of a page below the heading with an anchor, up to the next heading of its level or above."""
    heading = re.search(rf"^(#+) .*\{{ #{re.escape(anchor)} \}}$", text, re.M)
    assert heading is not None, anchor
    rest = text[heading.end() :]
    following = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.M)
    return rest[: following.start()] if following else rest


def test_links_of_every_page_lead_to_a_page_and_those_of_generated_pages_to_an_anchor(pages: Pages) -> None:
    dead = []
    for page, text in pages.texts.items():
        for match in LINK.finditer(FENCE.sub("", text)):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), match["target"]))
            if match["target"] and target not in pages.texts:
                other = (ROOT / "docs" / target).is_file() or target == http_api.DOCUMENT
                if not other and not target.startswith(f"{SOURCES}/"):
                    dead.append(f"{page}: {match['target']}")
            elif match["anchor"] and target.startswith("reference/"):
                anchors = {found for pair in ANCHOR.findall(pages.texts[target]) for found in pair}
                if match["anchor"] not in anchors:
                    dead.append(f"{page}: {match['target']}#{match['anchor']}")
    assert dead == []


# Commands


def test_every_command_has_its_usage_its_help_and_its_options(pages: Pages) -> None:
    text = pages.texts[commands.PAGE]
    found = {name for name, _, _ in commands.walk(football, click.Context(football, info_name="football"))}

    assert {"football land", "football models rollback"} <= found
    listed = [
        re.sub(r".*`(football [\w -]+)`.*", r"\1", row[0]) for row in rows(text) if "`football " in row[0]
    ]
    assert sorted(listed) == sorted(found)
    land = section(text, "football-land")
    assert "football land [OPTIONS]" in land
    assert "Copy result files" in land
    assert row_of(section(text, "football-predict"), "--odds HOME DRAW AWAY")[1].startswith("Decimal odds")
    assert "`--help`" not in text


# Variables


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_variable_has_its_default_and_its_meaning(pages: Pages, field: str) -> None:
    row = row_of(pages.texts[variables.PAGE], f"FOOTBALL_{field.upper()}")

    default = Settings.model_fields[field].default
    assert row[2] == ("unset" if default is None else f"`{default}`")
    assert len(row[1]) > 10


def test_a_variable_has_its_type_and_limits(pages: Pages) -> None:
    text = pages.texts[variables.PAGE]

    assert row_of(text, "FOOTBALL_PORT")[3] == "whole number, at least 1, at most 65535"
    assert row_of(text, "FOOTBALL_API_KEY")[3] == "secret, at least 8 characters"
    assert row_of(text, "FOOTBALL_RETRAIN_WINDOW_DAYS")[3] == "number, above 0, at most 36500"
    assert row_of(text, "FOOTBALL_HOME")[3] == "path"
    assert row_of(text, "FOOTBALL_SERVE_API")[3] == "URL with http:// or https://"


def test_no_variable_is_listed_that_does_not_exist(pages: Pages) -> None:
    listed = set(re.findall(r"^\| <span [^|]*`FOOTBALL_(\w+)`", pages.texts[variables.PAGE], re.M))

    assert listed == {field.upper() for field in Settings.model_fields}


# Assets


def test_every_asset_has_its_section_with_a_link_to_its_code(pages: Pages) -> None:
    for spec in defs.resolve_all_asset_specs():
        name, page = spec.key.to_user_string(), f"{asset_pages.FOLDER}/{spec.group_name}.md"
        (source,) = re.findall(r"^- Source: \[`([^`]+)`\]\(([^)]+)\)", section(pages.texts[page], name), re.M)
        path, link = source
        if path.endswith(".sql"):
            assert path.endswith(f"/{name}.sql")
            continue
        line = int(link.rpartition("-")[2])
        code = (ROOT / path).read_text(encoding="utf-8").splitlines()[line - 1 :]
        end = next(index for index, text in enumerate(code) if text.startswith("def "))
        assert code[0].startswith("@")
        # One function returns both tables of matches: its decorator names them.
        assert name in code[end] or f'"{name}"' in "".join(code[:end])
        assert name in pages.texts[asset_pages.INDEX]


def test_an_asset_has_what_it_reads_what_reads_it_and_its_checks(pages: Pages) -> None:
    text = section(pages.texts[f"{asset_pages.FOLDER}/features.md"], "match_features")

    (reads,) = re.findall(r"^- Reads: (.*)$", text, re.M)
    (read_by,) = re.findall(r"^- Read by: (.*)$", text, re.M)
    assert re.findall(r"`(\w+)`", reads) == ["stg_matches", "team_form", "team_matches", "team_ratings"]
    assert re.findall(r"`(\w+)`", read_by) == ["fixture_predictions", "sequence_tensors"]
    assert "(learning.md#sequence_tensors)" in read_by
    assert "- Partitions: `countries`" in text
    by_python, by_dbt = row_of(text, "every_match_has_features"), row_of(text, "match_features_as_of_kickoff")
    assert "source/football_assets/features/checks.py.md#__span-0-" in by_python[0]
    assert "source/dbt_features/tests/match_features_as_of_kickoff.sql.md" in by_dbt[0]
    assert by_python[1] == by_dbt[1] == "yes"
    assert len(by_dbt[2]) > 20


def test_every_check_is_listed_once(pages: Pages) -> None:
    listed = [
        row[0].split("`")[1]
        for page, text in pages.texts.items()
        if page.startswith(f"{asset_pages.FOLDER}/") and page != asset_pages.INDEX
        for row in rows(text)
        if row[0].startswith("[`")
    ]

    assert sorted(listed) == sorted(key.name for key in defs.resolve_asset_graph().asset_check_keys)


# Automation, run configuration, features, tables


def test_every_sensor_schedule_and_job_is_listed(pages: Pages) -> None:
    text = pages.texts[automation.PAGE]

    for item in (*(defs.sensors or ()), *(defs.schedules or ()), *(defs.jobs or ())):
        assert row_of(text, item.name), item.name
    assert row_of(text, "daily_sync")[1:4] == ["stopped", "`40 5 * * *` UTC", "`sync_results`"]
    assert row_of(text, "registry_sensor")[1:3] == ["running", "10 s"]


def test_hyperparameters_and_thresholds_have_their_defaults(pages: Pages) -> None:
    text = pages.texts[run_config.PAGE]

    assert row_of(section(text, "trained_lstm"), "network.dropout")[1] == "`0.15`"
    assert row_of(section(text, "trained_lstm"), "use_best_config")[1] == "`true`"
    assert row_of(section(text, "drift_report"), "least_results")[1] == "`60`"
    assert row_of(section(text, "serving_deployment"), "version")[1] == '`""`'


def test_features_are_listed_in_the_order_of_their_columns(pages: Pages) -> None:
    history, context = pages.texts[features.PAGE].split("## Context")

    def names(text: str) -> list[str]:
        return [row[0].split("`")[1] for row in rows(text) if "{ .name }" in row[0]]

    assert names(history) == DEFAULT_SPEC.history_names
    assert names(context) == DEFAULT_SPEC.context_names
    assert row_of(context, "home_elo")[1:4] == ["Elo points", "0 to 4000", "`results`"]


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("raw_matches", "home_goals", "Int16"),
        ("raw_matches_rejected", "reason", "String"),
        ("team_form", "points_10", "double"),
        ("fixture_predictions", "p_home", "Float64"),
        ("prediction_log", "latency_ms", "Float64"),
        ("clubs", "aliases", "varchar"),
    ],
)
def test_a_table_has_its_columns_with_type_and_meaning(
    pages: Pages, table: str, column: str, kind: str
) -> None:
    row = row_of(section(pages.texts[tables.PAGE], table), column)

    assert row[1] == f"`{kind}`"
    assert len(row[2]) > 10


def test_tables_are_in_the_order_in_which_they_are_built(pages: Pages) -> None:
    names = re.findall(r"^## `(\w+)`", pages.texts[tables.PAGE], re.M)

    order = (
        "raw_matches",
        "stg_matches",
        "team_matches",
        "team_form",
        "match_features",
        "fixture_predictions",
    )
    assert sorted(order, key=names.index) == list(order)
    assert {"raw_matches_rejected", "prediction_log", "clubs", "leagues"} < set(names)


def test_every_column_of_every_model_is_listed(pages: Pages) -> None:
    for path in (ROOT / "dbt_features" / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", ()):
            text = section(pages.texts[tables.PAGE], model["name"])
            assert [row[0].split("`")[1] for row in rows(text) if "{ .name }" in row[0]] == [
                column["name"] for column in model["columns"]
            ]


# HTTP API and alerts


def test_the_reference_lists_every_status_of_an_error_in_the_words_of_the_openapi_document(
    pages: Pages,
) -> None:
    listed = {int(row[0]): row[1] for row in rows(pages.texts[http_api.PAGE]) if row[0].isdecimal()}

    assert listed == STATUSES


def test_an_operation_has_its_parameters_its_body_with_an_example_and_its_answer(pages: Pages) -> None:
    text = pages.texts[http_api.PAGE]

    predict = section(text, "post-predict")
    assert "Body, `application/json`: [FixtureRequest](#schema-fixturerequest)." in predict
    assert '"home_team": "Arsenal"' in predict
    assert "Answer, status 200, `application/json`: [PredictAnswer](#schema-predictanswer)." in predict
    assert row_of(predict, "scores")[1:4] == ["query", "boolean", "`false`"]
    fields = section(text, "schema-fixturerequest")
    assert row_of(fields, "league")[1:3] == ["string", "required"]
    assert row_of(fields, "odds")[1] == "[MatchOdds](#schema-matchodds) or null"


def test_every_operation_of_the_openapi_document_has_its_section(pages: Pages) -> None:
    document = http_api.openapi_of_application()

    operations = [(method, path) for path, methods in document["paths"].items() for method in methods]
    assert len(operations) == 12
    for method, path in operations:
        assert section(pages.texts[http_api.PAGE], http_api.anchor_of(method, path))


def test_every_alert_has_a_link_to_its_runbook(pages: Pages) -> None:
    for path in alerts.RULES:
        for rule in alerts.alerts_of(ROOT / path):
            row = row_of(pages.texts[alerts.PAGE], rule["alert"])
            page, anchor = re.findall(r"\(\.\./(runbooks/\w+\.md)#(\w+)\)", row[0])[0]
            assert f"\n## {rule['alert']}\n" in pages.texts[page]
            assert anchor == rule["alert"].lower()
            assert row[1] == rule["labels"]["severity"]
