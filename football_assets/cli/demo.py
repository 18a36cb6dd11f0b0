"""`football demo`: the whole graph on the bundled results."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from football_assets.cli.context import open_registry, prepare_command_home
from football_assets.cli.extras import PIPELINE, require_extras
from football_assets.cli.graph import DEFAULT_SELECTION, run_graph
from football_assets.cli.options import home_option, json_option
from football_assets.cli.output_files import check_writable, write_json
from football_assets.storage.model_files import METRICS

if TYPE_CHECKING:
    from football_assets.settings import Settings

FIXTURES_SHOWN = 12


@click.command("demo")
@home_option
@json_option
def demo_command(json_file: Path | None) -> None:
    """Land the bundled results, run the whole graph, and forecast the fixtures not yet played."""
    require_extras("demo", PIPELINE)
    started = time.monotonic()
    settings = prepare_command_home(for_runs=True)
    check_writable(json_file)
    from football_assets.raw.landing import land
    from football_assets.sample import sample_folder
    from football_assets.storage.opening import open_bucket

    bucket = open_bucket(settings.bucket_url)
    landed = land(bucket, [sample_folder()])
    click.echo(
        f"Landed {len(landed.objects)} files of {len(landed.seasons)} seasons in {bucket.url}.", err=True
    )
    run_graph(settings, DEFAULT_SELECTION)
    figures = _print_figures(settings)
    figures["seconds"] = round(time.monotonic() - started, 1)
    write_json(json_file, figures)
    click.echo(
        f"{figures['seconds']:.0f} s in all. See the runs, lineage, plots and checks with `football up`.",
        err=True,
    )


def _print_figures(settings: "Settings") -> dict[str, Any]:
    """Print fixtures and scores; returns what `--json` writes."""
    from football_assets.cli.tables import evaluation_tables, fixtures_table, results_console
    from football_assets.domain.columns import PROBABILITY_COLUMNS
    from football_assets.sequences.fixture_days import split_overdue
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket
    from football_assets.storage.tables import read_table

    bucket = open_bucket(settings.bucket_url)
    forecasts = read_table(bucket, "fixture_predictions")
    metrics = json.loads((fetch(bucket, "model_evaluation", settings.scratch) / METRICS).read_bytes())
    production = open_registry(settings).aliases().get("production")
    console = results_console()
    coming, overdue = split_overdue(forecasts)
    for fixtures, title in (
        (coming, f"Next of {len(coming):,} fixtures"),
        (overdue, f"Date passed, no result yet: {len(overdue):,} of {len(forecasts):,} fixtures"),
    ):
        if not fixtures.is_empty():
            console.print(fixtures_table(fixtures.head(FIXTURES_SHOWN), title))
    console.print(*evaluation_tables(metrics), sep="\n")
    names = ("train_matches", "validation_matches", "test_matches", "test")
    return {
        **{name: metrics[name] for name in names},
        "baselines": {
            name: {score: metrics["baselines"][name][score] for score in ("log_loss", "rps")}
            for name in ("class_prior", "elo")
        },
        "fixtures_forecast": forecasts.drop_nulls(PROBABILITY_COLUMNS).height,
        "model_version": production,
    }
