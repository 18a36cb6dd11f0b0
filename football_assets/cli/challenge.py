"""`football challenge`: forecast a test of the 2023 Soccer Prediction Challenge."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from football_assets.cli.options import EXISTING_FILE, FILE, home_option, json_option
from football_assets.cli.output_files import check_writable, write_json, write_output
from football_assets.cli.scratch_home import materialize_in_scratch

if TYPE_CHECKING:
    import polars as pl

    from football_assets.comparison.challenge import BlockForecast
    from football_assets.comparison.challenge_files import ChallengeTest
    from football_assets.comparison.challenge_scores import ChallengeScores

_NEWCOMERS_SHOWN = 10


@click.command("challenge")
@home_option
@click.argument("training", type=EXISTING_FILE)
@click.argument("test", type=EXISTING_FILE)
@click.option("--out", type=FILE, required=True, help="CSV file to write: the submission.")
@click.option(
    "--whole-goals",
    is_flag=True,
    help="Write goals as whole numbers, as the rules of the challenge require. Default: expected goals, which have a "
    "smaller error.",
)
@json_option
def challenge_command(
    training: Path, test: Path, out: Path, whole_goals: bool, json_file: Path | None
) -> None:
    """Forecast the matches of TEST from the results of TRAINING, in the format of the Soccer Prediction Challenge.

    TRAINING has the columns Sea,Lge,Date,HT,AT,HS,AS; results from the first day of TEST on are not used. TEST has the
    columns ID,Lge,Sea,Date,HT,AT. If TEST also has results, they are used only to print the scores of the forecasts.
    Works in a temporary home that is removed afterwards.
    """
    for file in (out, json_file):
        check_writable(file)
    from football_assets.comparison.challenge_files import read_test, read_training, submission_text

    results, block = read_training(training), read_test(test)
    with TemporaryDirectory(prefix="football-challenge-") as scratch:
        forecasts, figures = _forecast(results, block, Path(scratch))
    predictions = _predictions(forecasts, whole_goals)
    write_output(out, submission_text(block.given, predictions).encode())
    scores = _scores(block.matches, predictions)
    write_json(json_file, figures | ({"scores": scores.as_dict()} if scores else {}))
    _print(figures, scores, out)


def _forecast(
    results: "pl.DataFrame", block: "ChallengeTest", scratch: Path
) -> tuple["BlockForecast", dict[str, Any]]:
    """Build the features of the results before the test in a scratch home, fit, and forecast; returns figures too."""
    from football_assets.cli.progress import WorkProgress
    from football_assets.comparison.challenge import (
        STATE_TABLES,
        forecast_block,
        frozen_tensors,
        team_state_before,
    )
    from football_assets.comparison.challenge_files import results_before
    from football_assets.comparison.challenge_world import (
        fixtures_of,
        newcomers,
        number_teams,
        write_landing_files,
    )
    from football_assets.sequences.tensors import open_tensors
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket
    from football_assets.storage.tables import read_table

    known = results_before(results, block)
    teams = number_teams(known, block.matches)
    folder, home = scratch / "raw", scratch / "home"
    folder.mkdir()
    write_landing_files(known, teams, folder)
    settings = materialize_in_scratch(home, (folder,), "+sequence_tensors")
    bucket = open_bucket(settings.bucket_url)
    tensors = open_tensors(fetch(bucket, "sequence_tensors", settings.scratch))
    tables = {name: read_table(bucket, name) for name in STATE_TABLES}
    state = team_state_before(block.first_day, tensors.spec, tables)
    fixtures = frozen_tensors(state, fixtures_of(block.matches, known, teams), tensors)
    with WorkProgress() as progress:
        forecasts = forecast_block(
            tensors,
            fixtures,
            block.first_day,
            on_training=lambda number, count: progress.say(f"Training {number} of {count}"),
            on_epoch=lambda epoch: progress.say(
                f"Epoch {epoch.epoch}: validation log loss {epoch.validation_log_loss:.4f}, {epoch.seconds:.1f} s"
            ),
        )
    return forecasts, {
        "first_day": str(block.first_day),
        "test_matches": len(block.matches),
        "training_matches": int(tensors.played.sum()),
        "results_from_the_first_day_on": len(results) - len(known),
        "results_rejected": len(known) - int(tensors.played.sum()),
        "newcomers": newcomers(block.matches, known),
    }


def _predictions(forecasts: "BlockForecast", whole: bool) -> "pl.DataFrame":
    """Return the columns of a submission."""
    import polars as pl

    from football_assets.comparison.challenge_files import PREDICTION_COLUMNS
    from football_assets.comparison.challenge_scores import whole_goals

    goals = whole_goals(forecasts.expected_goals) if whole else forecasts.expected_goals
    columns = [*goals.T, *forecasts.probabilities.T]
    return pl.DataFrame(dict(zip(PREDICTION_COLUMNS, columns, strict=True)))


def _scores(matches: "pl.DataFrame", predictions: "pl.DataFrame") -> "ChallengeScores | None":
    """Score the predictions of the matches with a result; None if there are none."""
    import polars as pl

    from football_assets.comparison.challenge_files import PREDICTION_COLUMNS
    from football_assets.comparison.challenge_scores import challenge_scores
    from football_assets.domain.block_bootstrap import league_weeks
    from football_assets.domain.columns import is_played

    played = matches.hstack(predictions).filter(is_played())
    if played.is_empty():
        return None
    return challenge_scores(
        played.select(pl.col(PREDICTION_COLUMNS[2:])).to_numpy(),
        played.select(pl.col(PREDICTION_COLUMNS[:2]).cast(pl.Float64)).to_numpy(),
        played.select("home_goals", "away_goals").to_numpy(),
        league_weeks(played["league_id"], played["day"]),
    )


def _print(figures: dict[str, Any], scores: "ChallengeScores | None", out: Path) -> None:
    from football_assets.cli.tables import results_console, rows_table

    console = results_console()
    new = figures["newcomers"]
    if new:
        more = f" and {len(new) - _NEWCOMERS_SHOWN} more" if len(new) > _NEWCOMERS_SHOWN else ""
        console.print(
            f"Forecast as newcomers of their league, since the training file does not have them: "
            f"{', '.join(new[:_NEWCOMERS_SHOWN])}{more}.",
            soft_wrap=True,
            markup=False,
        )
    console.print(
        f"{figures['test_matches']:,} forecasts from {figures['training_matches']:,} results before "
        f"{figures['first_day']} are in {out}.",
        soft_wrap=True,
        markup=False,
    )
    if scores is not None:
        rows = [
            ("RPS", f"{scores.rps:.4f}", f"{scores.rps_low:.4f} to {scores.rps_high:.4f}"),
            ("RMSE", f"{scores.rmse:.4f}", f"{scores.rmse_low:.4f} to {scores.rmse_high:.4f}"),
        ]
        title = f"Scores of {scores.matches:,} matches with a result"
        console.print(rows_table(("score", "mean", "95 % interval"), rows, title))
