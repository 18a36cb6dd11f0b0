"""The drift report as a page: the summary on top, then Evidently's comparison if there are enough data."""

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.monitoring.drift import DriftReport
from football_assets.monitoring.summary import DriftSummary
from football_assets.orchestration.figures import data_url

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

_BODY = "<body>"
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drift report</title>
</head>
"""
_STYLE = """
#summary { font: 15px/1.5 system-ui, sans-serif; color: #1d2733; background: #fff; max-width: 60rem; margin: 0 auto;
  padding: 1.5rem }
#summary h1 { font-size: 1.5rem; margin: 0 0 .5rem } #summary h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
#summary .verdict { font-weight: 600; padding: .2rem .6rem; border-radius: .3rem; color: #fff }
#summary .ok { background: #2c7a4b } #summary .drift { background: #b23a24 }
#summary .insufficient_data { background: #5f6b7a }
#summary table { border-collapse: collapse; width: 100%; font-size: .9rem }
#summary th, #summary td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #e3e7ec }
#summary .scroll { overflow-x: auto } #summary img { max-width: 100%; height: auto }
"""
_WORDS = {True: "drift", False: "as in training", None: "insufficient data"}


def compare_with_evidently(report: DriftReport) -> "Snapshot":
    """Evidently's comparison of the matched rows, with the thresholds of our verdict.

    Raises
    ------
    ValueError
        The report has no comparison.
    """
    if report.comparison is None:
        raise ValueError("a window with insufficient data has nothing to compare")
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import DatasetMissingValueCount
    from evidently.presets import DataDriftPreset

    names = [column.name for column in report.columns]
    definition = DataDefinition(numerical_columns=names)
    window, reference = (
        Dataset.from_pandas(
            frame.select(pl.col(names).cast(pl.Float64)).to_pandas(), data_definition=definition
        )
        for frame in (report.comparison.window, report.comparison.reference)
    )
    drift = DataDriftPreset(
        columns=names,
        num_method="wasserstein",
        per_column_threshold={column.name: column.threshold for column in report.columns},
        drift_share=report.summary.thresholds["drift_share"],
    )
    with np.errstate(invalid="ignore"):  # a histogram none of whose bins has a value
        return Report([drift, DatasetMissingValueCount()]).run(window, reference)


def render(report: DriftReport, pictures: dict[str, bytes]) -> bytes:
    """Render the page. External text is escaped; the page loads nothing from elsewhere.

    Parameters
    ----------
    pictures
        PNG by caption.
    """
    top = f"<style>{_STYLE}</style>\n{_section(report, pictures)}"
    if report.comparison is None:
        page = f"{_HEAD}<body>\n{top}\n</body>\n</html>\n"
        return page.encode()
    page = compare_with_evidently(report).get_html_str(as_iframe=False)
    head, body, rest = page.partition(_BODY)
    return f"{head}{body}\n{top}\n{rest}".encode() if body else f"{top}\n{page}".encode()


def verdict_text(summary: DriftSummary) -> str:
    """Return the verdict in one sentence."""
    version = "no model" if summary.model_version is None else f"version {summary.model_version}"
    return {
        "ok": f"Production ({version}) gets inputs and results as in training.",
        "drift": f"Production ({version}) gets other inputs or results than in training.",
        "insufficient_data": f"There is insufficient data about production ({version}).",
    }[summary.status]


def facts(summary: DriftSummary) -> dict[str, str]:
    """Format the summary's figures by name."""
    return {
        "predictions of": f"{summary.window_start:%Y-%m-%d} to {summary.window_end:%Y-%m-%d %H:%M} UTC",
        "matches of the fixture lists forecast": f"{summary.predictions:,}",
        "custom histories, not compared": f"{summary.custom_histories:,}",
        "matches on no fixture list, not compared": f"{summary.unlisted:,}",
        "matches with odds of the request, not compared": f"{summary.given_odds:,}",
        "results known": f"{summary.results:,}, of forecasts since {summary.results_since:%Y-%m-%d}",
        "model version": _or_none(summary.model_version),
        "model knows results until": _or_none(summary.model_as_of),
        "newest result": _or_none(summary.newest_result),
        "drifted columns": ", ".join(summary.drifted_columns) or "none",
        "share of drifted columns": _number(summary.drift_share, "{:.0%}"),
        "live log loss": _number(summary.live_log_loss, "{:.4f}"),
        "log loss on the reference": _number(summary.expected_log_loss, "{:.4f}"),
        "live RPS": _number(summary.live_rps, "{:.4f}"),
        "calibration error": _number(summary.calibration_error, "{:.3f}"),
    }


def columns_table(report: DriftReport) -> pl.DataFrame:
    """Tabulate the compared columns."""
    return pl.DataFrame(
        [
            {
                "column": column.name,
                "distance": f"{column.distance:.2f}",
                "drift from": f"{column.threshold:.2f}",
                "mean": f"{column.mean:.3f}",
                "reference": f"{column.reference_mean:.3f}",
            }
            for column in report.columns
        ]
    )


def tests_table(report: DriftReport) -> pl.DataFrame:
    """The tests of the results."""
    return pl.DataFrame(
        [
            {
                "a match": test.name,
                "observed": f"{test.observed:.3f}",
                "expected": f"{test.expected:.3f}",
                "chance of more": f"{test.p_value:.2g}",
                "drift": "yes" if test.drifted else "no",
            }
            for test in report.tests
        ]
    )


def quality_table(report: DriftReport) -> pl.DataFrame:
    """Missing values and values out of range, of the inputs that have any."""
    return pl.DataFrame(
        [
            {
                "input": quality.name,
                "missing": f"{quality.missing:.1%}",
                "in training": f"{quality.reference_missing:.1%}",
                "out of range": f"{quality.outside:.1%}",
                "out of range in training": f"{quality.reference_outside:.1%}",
            }
            for quality in report.qualities
            if quality.missing or quality.outside
        ]
    )


def apart_table(report: DriftReport) -> pl.DataFrame:
    """Mean forecasts of what is not judged, by kind."""
    if report.apart.is_empty():
        return pl.DataFrame()
    names = [*PROBABILITY_COLUMNS, *EXPECTED_GOALS_COLUMNS]
    return (
        report.apart.group_by(pl.col("asked_about").alias("forecasts of"))
        .agg(pl.len().alias("forecasts"), pl.col(names).cast(pl.Float64).mean().round(3).name.prefix("mean "))
        .sort("forecasts of")
    )


def _section(report: DriftReport, pictures: dict[str, bytes]) -> str:
    summary = report.summary
    findings = pl.DataFrame(
        [{"area": item.area, "verdict": _WORDS[item.drifted], "why": item.note} for item in summary.findings]
    )
    parts = [
        '<section id="summary">',
        "<h1>Drift report</h1>",
        f'<p><span class="verdict {summary.status}">{summary.status}</span> {escape(verdict_text(summary))}</p>',
        f"<ul>{''.join(f'<li>{escape(reason)}</li>' for reason in summary.reasons)}</ul>",
        *(f"<p><strong>Feed:</strong> {escape(note)}</p>" for note in summary.feeds),
        _table(findings),
        _table(pl.DataFrame(list(facts(summary).items()), schema=["figure", "value"], orient="row")),
    ]
    for caption, picture in pictures.items():
        parts += [
            f"<h2>{escape(caption)}</h2>",
            f'<img alt="{escape(caption)}" src="{data_url(picture)}">',
        ]
    for caption, table in (
        ("Results against forecasts", tests_table(report)),
        ("Columns", columns_table(report)),
        ("Data quality", quality_table(report)),
        (
            "Not compared: custom histories, matches on no fixture list, odds of the request",
            apart_table(report),
        ),
    ):
        if not table.is_empty():
            parts += [f"<h2>{caption}</h2>", _table(table)]
    return "\n".join([*parts, "</section>"])


def _table(frame: pl.DataFrame) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in frame.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in frame.iter_rows()
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _number(value: float | None, form: str) -> str:
    return "not known yet" if value is None else form.format(value)


def _or_none(value: object) -> str:
    return "none" if value is None else str(value)
