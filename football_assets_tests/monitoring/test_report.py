"""The page says the verdict first, shows Evidently's comparison below, and runs nothing that came from outside."""

import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.drift import DriftReport, Evidence, examine
from football_assets.monitoring.plots import distances, live_results
from football_assets.monitoring.production import Production
from football_assets.monitoring.report import compare_with_evidently, render, verdict_text
from football_assets.orchestration.figures import data_url, to_png
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets_tests.builders.prediction_logs import no_matches, reference_like

NOW = datetime(2015, 12, 1, 12, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = "<script>alert('eng.1')</script>"


def report(window: pl.DataFrame) -> DriftReport:
    production = Production(3, NOW, NOW.date(), DEFAULT_SPEC, reference_like(4000))
    asked = window.with_columns(model_version=pl.lit(3), time=pl.lit(NOW - timedelta(days=1)))
    return examine(Evidence(NOW, production, NOW.date(), asked, asked, asked), DriftConfig())


@pytest.fixture(scope="module")
def drifted() -> DriftReport:
    window = reference_like(200, seed=1)
    return report(
        window.with_columns(
            pl.col(name) * 1.4
            for name in DEFAULT_SPEC.context_names
            if name.startswith(("home_", "away_goals"))
        )
    )


def test_evidently_measures_the_same_distances_and_shares_our_verdict(drifted: DriftReport) -> None:
    metrics = compare_with_evidently(drifted).dict()["metrics"]

    theirs = {
        metric["config"]["column"]: metric["value"]
        for metric in metrics
        if metric["config"]["type"].endswith(":ValueDrift")
    }
    assert theirs.keys() == {column.name for column in drifted.columns}
    for column in drifted.columns:
        assert theirs[column.name] == pytest.approx(column.distance, rel=1e-6), column.name
    (counted,) = [
        metric["value"] for metric in metrics if metric["config"]["type"].endswith(":DriftedColumnsCount")
    ]
    assert counted["count"] == len(drifted.summary.drifted_columns) > 5
    assert counted["share"] == pytest.approx(drifted.summary.drift_share)


def test_the_page_says_the_verdict_before_evidently_draws(drifted: DriftReport) -> None:
    figures = {"Distances": distances(drifted.columns), "Results": live_results(drifted.results)}
    pictures = {caption: to_png(figure) for caption, figure in figures.items()}

    page = render(drifted, pictures).decode()

    assert page.count("<body>") == page.count('<section id="summary">') == 1
    top = page[: page.index("</section>")]
    assert page.index("<body>") < page.index('<section id="summary">') < page.index('<div id="root_')
    assert "Production (version 3) gets other inputs or results than in training." in top
    assert drifted.summary.reasons[0] in top
    assert "2015-11-01 to 2015-12-01 12:00 UTC" in top
    assert re.findall(r'src="(data:image/png;base64,[^"]+)"', top) == [
        data_url(png) for png in pictures.values()
    ]
    assert not re.search(r'(src|href)="(https?:)?//', top)


def test_a_quiet_page_is_small_and_needs_no_evidently() -> None:
    found = report(reference_like(20, seed=1))

    page = render(found, {}).decode()

    assert found.summary.status == "insufficient_data"
    assert page.startswith("<!DOCTYPE html>")
    assert (
        "20 matches of the fixture lists were forecast in 30 days; 50 are needed to compare inputs." in page
    )
    assert len(page) < 10_000
    with pytest.raises(ValueError, match="nothing to compare"):
        compare_with_evidently(found)


def test_text_from_outside_is_escaped() -> None:
    quiet = report(reference_like(20, seed=1))
    hostile = DriftReport(
        quiet.summary.model_copy(update={"reasons": [HOSTILE], "drifted_columns": [HOSTILE]}),
        None,
        [],
        [],
        [],
        no_matches(),
        no_matches().select(asked_about="match_id"),
    )

    page = render(hostile, {HOSTILE: PNG}).decode()

    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") == 4


@pytest.mark.parametrize(
    ("status", "text"),
    [("ok", "inputs and results as in training"), ("insufficient_data", "There is insufficient data")],
)
def test_the_verdict_is_a_sentence(status: str, text: str) -> None:
    summary = report(reference_like(20)).summary.model_copy(update={"status": status})

    assert text in verdict_text(summary)
