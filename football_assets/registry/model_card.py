"""The model card: a page of Markdown that describes a version, its scores and its limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

import polars as pl

from football_assets.domain.leagues import league_of
from football_assets.domain.scoring_rules import OUTCOMES
from football_assets.sequences.spec import FeatureSpec
from football_assets.training.score_tables import TIER_COLUMNS, describe_tiers

PACKAGES = ("torch", "onnx", "onnxruntime", "polars", "numpy", "duckdb", "dbt-core", "dagster")
SCORES = {
    "log_loss": "Log loss",
    "rps": "Ranked probability score",
    "brier": "Brier score",
    "accuracy": "Accuracy",
    "ece": "Calibration error",
}
BASELINES = {"class_prior": "Class prior", "elo": "Elo, logistic", "bookmaker": "Bookmaker"}
INPUT_GROUPS = {
    "results": "results",
    "odds": "past odds",
    "shots": "past shots",
    "match_odds": "odds of the match itself",
}

_MOST_LEAGUES = 40


@dataclass(frozen=True)
class LeagueCount:
    """A league's matches in the data."""

    league_id: str
    played: int
    unplayed: int


@dataclass(frozen=True)
class DataSummary:
    """The matches that a model was trained on."""

    played: int
    unplayed: int
    teams: int
    first_day: date | None
    last_day: date | None
    leagues: list[LeagueCount]


def summarise_data(keys: pl.DataFrame) -> DataSummary:
    """Summarise `keys.parquet` of `sequence_tensors`. The last day is that of the last result."""
    leagues = (
        keys.group_by("league_id")
        .agg(played=pl.col("is_played").sum(), unplayed=(~pl.col("is_played")).sum())
        .sort("league_id")
    )
    days = keys.filter("is_played")["kickoff_date"]
    teams = pl.concat([keys["home_team_id"], keys["away_team_id"]]).n_unique()
    return DataSummary(
        played=len(days),
        unplayed=len(keys) - len(days),
        teams=teams,
        first_day=days.min(),  # type: ignore[arg-type]
        last_day=days.max(),  # type: ignore[arg-type]
        leagues=[LeagueCount(**row) for row in leagues.iter_rows(named=True)],
    )


def library_versions() -> dict[str, str]:
    """Return the installed releases of the libraries that the model depends on."""
    return {name: version(name) for name in PACKAGES}


def write_model_card(
    *,
    metrics: dict[str, Any],
    training: dict[str, Any],
    export: dict[str, Any],
    spec: FeatureSpec,
    data: DataSummary,
    packages: dict[str, str],
) -> str:
    """Write the card in Markdown.

    Parameters
    ----------
    metrics
        `metrics.json` of `model_evaluation`.
    training
        `training.json` of `trained_lstm`.
    export
        `export.json` of `onnx_model`.
    spec
        Inputs of the network.
    data
        The matches in the tensors.
    packages
        Releases of the libraries, by name.
    """
    sections = [
        _what_it_is(spec, data),
        _data(metrics, data),
        _test_scores(metrics),
        _tiers(metrics),
        _calibration(metrics),
        _by_league(metrics),
        _limits(metrics, data, spec),
        _use(spec, export),
        _inputs(spec),
        _training(training),
        _table(["Package", "Version"], packages.items(), title="Packages"),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _what_it_is(spec: FeatureSpec, data: DataSummary) -> str:
    return (
        "# Football match forecaster\n\n"
        "Forecasts a football match before kick-off: the probabilities of home win, draw and away win, and the goals "
        "expected of each side after 90 minutes. An LSTM with shared weights reads the last "
        f"{spec.history_length} matches of both teams ({len(spec.history)} numbers a match), joined with "
        f"{len(spec.context)} numbers about the match itself. Trained on results of {len(data.leagues)} leagues."
    )


def _data(metrics: dict[str, Any], data: DataSummary) -> str:
    split = metrics["split"]
    rows = [
        ("Training", metrics["train_matches"], f"to {split['train_end']}"),
        ("Validation: stopping, calibration", metrics["validation_matches"], f"to {split['validation_end']}"),
        ("Test: scored once, never fitted on", metrics["test_matches"], f"to {split['test_end']}"),
    ]
    return (
        "## Data\n\n"
        f"{data.played:,} results from {data.first_day} to {data.last_day}, {data.teams:,} teams; {data.unplayed:,} "
        "fixtures not played yet. The periods follow each other in time:\n\n"
        + _table(["Period", "Matches", "Days"], [(name, f"{count:,}", days) for name, count, days in rows])
    )


def _test_scores(metrics: dict[str, Any]) -> str:
    columns = {"This model": metrics["test"]} | {
        BASELINES[key]: values for key, values in metrics["baselines"].items() if key in BASELINES
    }
    rows = [
        (title, *(_number(scores.get(name)) for scores in columns.values())) for name, title in SCORES.items()
    ]
    bookmaker = metrics["baselines"].get("bookmaker")
    note = (
        f"\n\nThe bookmaker's odds are known for {bookmaker['matches']:,} of the {metrics['test_matches']:,} test "
        "matches; its column is scored on those alone, where this model's log loss is "
        f"{_number(bookmaker.get('model_log_loss'))}."
        if bookmaker and "matches" in bookmaker
        else ""
    )
    return (
        "## Scores on the test period\n\nLower is better, except for the accuracy.\n\n"
        + _table(["Score", *columns], rows)
        + note
    )


def _tiers(metrics: dict[str, Any]) -> str:
    tiers = metrics.get("tiers", [])
    if not tiers:
        return ""
    return (
        "## By tier of input\n\n"
        "One model forecasts with and without odds and shots. Each tier is scored with other inputs hidden, and its "
        "log loss compared on the same matches. The other scores are without the odds of the match itself.\n\n"
        + _table([name[0].upper() + name[1:] for name in TIER_COLUMNS], describe_tiers(tiers))
    )


def _calibration(metrics: dict[str, Any]) -> str:
    text = (
        "## Calibration\n\n"
        "The probabilities are scaled on the validation period. On the test period they are off by "
        f"{metrics['test']['ece'] * 100:.1f} percentage points on average (expected calibration error)."
    )
    confusion = metrics.get("confusion")
    if confusion:
        rows = [
            (name, *(f"{count:,}" for count in row)) for name, row in zip(OUTCOMES, confusion, strict=True)
        ]
        text += "\n\nMost probable outcome against the actual outcome:\n\n"
        text += _table(["Happened", *(f"Forecast {name}" for name in OUTCOMES)], rows)
    return text


def _by_league(metrics: dict[str, Any]) -> str:
    leagues = sorted(metrics.get("by_league", []), key=lambda row: -row["matches"])[:_MOST_LEAGUES]
    if not leagues:
        return ""
    rows = [
        (
            league_of(row["league_id"]).name,
            f"{row['matches']:,}",
            _number(row.get("log_loss")),
            _number(row.get("rps")),
        )
        for row in leagues
    ]
    return _table(["League", "Test matches", "Log loss", "Ranked probability score"], rows, title="By league")


def _limits(metrics: dict[str, Any], data: DataSummary, spec: FeatureSpec) -> str:
    groups = {feature.group for feature in (*spec.history, *spec.context)}
    known = "".join(f", {name}" for group, name in INPUT_GROUPS.items() if group in groups - {"results"})
    on_file = f"; where they are on file{known}" if known else ""
    return (
        "## Limits\n\n"
        f"- It knows results, dates and leagues{on_file}; no line-ups, injuries, transfers, managers or weather.\n"
        "- A draw is hardly ever the likeliest outcome, so the accuracy says little about the probabilities.\n"
        "- A team without results gets its league's entry ratings, and its first forecasts say little.\n"
        f"- It knows no result after {data.last_day}, and saw none after {metrics['split']['validation_end']} in "
        "training.\n"
        "- Expected goals are the means of a Poisson model of the score, not chances created.\n"
        "- A bookmaker's odds hold more information. It is no basis for bets."
    )


def _use(spec: FeatureSpec, export: dict[str, Any]) -> str:
    int8 = export["int8"]
    variant = "`model.int8.onnx` answers nearly the same" if int8["accepted"] else "There is no int8 variant"
    return (
        "## Use\n\n"
        "`football predict eng.1 Arsenal Chelsea`, or in Python, with numpy and ONNX Runtime:\n\n"
        "```python\n"
        "from football_assets.registry.predictor import load_predictor\n\n"
        "probabilities, expected_goals = load_predictor(bundle).predict(home_history, away_history, context)\n"
        "```\n\n"
        f"Inputs are float32 in the units below: `home_history` and `away_history` [n, {spec.history_length}, "
        f"{len(spec.history)}], most recent match last, zeros before the first; `context` [n, {len(spec.context)}], "
        "NaN where unknown. `feature_spec.json` lists them, `team_state.parquet` holds the data of every "
        "team's inputs.\n\n"
        f"Opset {export['opset']}. Largest difference of a probability from the PyTorch network: "
        f"{export['parity_max_abs_difference']:.0e}. {variant} ({int8['reason']})"
    )


def _inputs(spec: FeatureSpec) -> str:
    rows = [
        (INPUT_GROUPS[feature.group], part, f"`{feature.name}`", feature.unit, feature.description)
        for group in INPUT_GROUPS
        for part, features in (("history", spec.history), ("context", spec.context))
        for feature in features
        if feature.group == group
    ]
    return _table(["Computed from", "Part", "Input", "Unit", "What it is"], rows, title="Inputs")


def _training(training: dict[str, Any]) -> str:
    settings = _flat(training.get("config", {}))
    rows = [(f"`{name}`", "unset" if value is None else f"{value}") for name, value in settings]
    best = training.get("best_epoch")
    if best is not None:
        rows.append(("best epoch", f"{best}"))
    return _table(["Setting", "Value"], rows, title="Training") if rows else ""


def _flat(config: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)]
    return "\n".join([f"## {title}", "", *lines] if title else lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
