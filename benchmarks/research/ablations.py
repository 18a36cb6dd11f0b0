"""Ablations of features, hyperparameters and steps after training, over several seasons.

    python -m benchmarks.research.ablations --raw path/to/footballcsv --work ablations_home

For each ablation of `ablation_set.py` and each season a network is trained on the results before the season's 1 July
and forecasts the season until 30 June, as `football backtest` does. Results are cached in `--work`: an interrupted run
resumes, and a new ablation costs only its own trainings. A training takes one to two minutes on one core.
"""

import argparse
import hashlib
import inspect
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.research.ablation_set import ABLATIONS
from benchmarks.research.ablation_types import DEFAULT, LOGITS, Case, Derived, Result, Setup, Trained
from benchmarks.research.ablation_types import probabilities_of as probabilities_of_matches
from benchmarks.research.comparison import make_tensors, markdown, with_figures
from benchmarks.research.digests import code_digest
from football_assets.domain.block_bootstrap import interval_text, league_weeks, paired_differences
from football_assets.domain.columns import PROBABILITY_COLUMNS
from football_assets.domain.scoring_rules import log_loss, score
from football_assets.domain.seasons import season_label
from football_assets.errors import FootballError
from football_assets.sequences.tensors import SequenceTensors, open_tensors
from football_assets.training import fit as fitting
from football_assets.training import network as networks
from football_assets.training import passes
from football_assets.training.backtest import rows_to_walk
from football_assets.training.config import TrainingConfig
from football_assets.training.inputs import MappedReader
from football_assets.training.network import MatchForecaster, count_parameters
from football_assets.training.predictions import raw_outputs
from football_assets.training.split import split_by_time

SEASONS = (2014, 2016, 2018)
FIRST_SEASON_KEPT = 2020  # seasons from July 2020 on are for comparisons: no choice is based on them

say = Console(stderr=True, highlight=False, soft_wrap=True).print


def main() -> None:
    """Run the ablations, print the table and write it to the work folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [ablation.name for ablation in ABLATIONS]
    parser.add_argument("--raw", type=Path, action="append", default=[], help="folder of results; repeatable")
    parser.add_argument("--tensors", type=Path, help="instead of --raw: sequence_tensors that a run has made")
    parser.add_argument(
        "--work", type=Path, default=Path("ablations_home"), help="folder for results and teachers"
    )
    parser.add_argument(
        "--only", type=_words, default=names, help=f"ablations in order, of {','.join(names)}"
    )
    parser.add_argument(
        "--seasons", type=_years, default=SEASONS, help="years in which seasons begin: 2014,2016"
    )
    parser.add_argument(
        "--base",
        choices=[
            ablation.name for ablation in ABLATIONS if isinstance(ablation, Trained) and not ablation.needs
        ],
        default=DEFAULT,
        help="ablation that the others are combined with, instead of the default",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of a training")
    parser.add_argument("--page", type=Path, help="Markdown page whose table is rewritten")
    arguments = parser.parse_args()
    if bool(arguments.raw) == bool(arguments.tensors):
        parser.error("give either --raw or --tensors")
    unknown = set(arguments.only) - set(names)
    if unknown:
        parser.error(f"no ablation is named {', '.join(sorted(unknown))}: choose from {', '.join(names)}")
    if max(arguments.seasons) >= FIRST_SEASON_KEPT:
        parser.error(
            f"seasons from July {FIRST_SEASON_KEPT} on are kept for comparisons: choose earlier ones"
        )
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    folder = arguments.tensors or make_tensors(arguments.work, arguments.raw)
    study = Study(open_tensors(folder), folder, arguments.work, trained_ablation(arguments.base))
    found: dict[str, list[Result]] = {}
    for name in dict.fromkeys([DEFAULT, *arguments.only]):
        if name == arguments.base != DEFAULT:
            continue
        try:
            found[name] = [study.result(name, year) for year in arguments.seasons]
        except FootballError as error:
            if name == DEFAULT:  # there is nothing to compare with
                raise SystemExit(str(error)) from error
            say(f"{name} is left out. {error}")
    text = table(found, arguments.seasons, study.base.text)
    (arguments.work / f"{arguments.base}.md").write_text(f"{text}\n", encoding="utf-8")
    Console(highlight=False, soft_wrap=True, markup=False).print(text)
    if arguments.page:
        page = arguments.page.read_text(encoding="utf-8")
        arguments.page.write_text(with_figures(page, arguments.base, text), encoding="utf-8")


def trained_ablation(name: str) -> Trained:
    """Find a trained ablation by name."""
    return next(ablation for ablation in ABLATIONS if isinstance(ablation, Trained) and ablation.name == name)


def _words(text: str) -> list[str]:
    return text.split(",")


def _years(text: str) -> list[int]:
    return sorted(int(year) for year in text.split(","))


@dataclass(frozen=True)
class Study:
    """The tensors, the folder of cached results, and the ablation that the others are combined with."""

    tensors: SequenceTensors
    tensors_folder: Path
    work: Path
    base: Trained

    def result(self, name: str, year: int) -> Result:
        """Return an ablation's forecasts of a season from the cache, or train and cache them.

        Raises
        ------
        FootballError
            The ablation cannot run on these tensors, or training diverged.
        """
        ablation = next(ablation for ablation in ABLATIONS if ablation.name == name)
        needed = {other: self.result(other, year) for other in ablation.needs}
        if isinstance(ablation, Derived):
            return _derive(ablation, needed)
        start = date(year, 7, 1)
        config = TrainingConfig()
        split = split_by_time(self.tensors, config.split.model_copy(update={"test_start": start}))
        case = Case(start, self.work, needed)
        setup = ablation.change(self.base.change(Setup(self.tensors, split, config), case), case)
        folder = self.work / "results" / self.tensors_folder.name
        if self.base.name != DEFAULT:
            name = self.base.name if name == DEFAULT else f"{self.base.name}+{name}"
        kept = _read(folder, f"{name}-{year}", _key(setup))
        if kept is not None:
            return kept
        result = _train(setup, rows_to_walk(self.tensors, start, date(year + 1, 6, 30)))
        loss = log_loss(probabilities_of_matches(result.season), result.season["outcome"].to_numpy())
        say(
            f"{name}, {season_label(year)}: log loss {loss:.5f}, best epoch {result.best_epoch} of {result.epochs}, "
            f"temperature {result.temperature:.3f}, {result.seconds:.0f} s"
        )
        _write(result, folder, f"{name}-{year}", _key(setup))
        return result


def _train(setup: Setup, rows: NDArray[np.int64]) -> Result:
    started = time.perf_counter()
    fit = fitting.fit_forecaster(
        setup.tensors,
        setup.split,
        setup.config,
        network_factory=setup.network_factory,
        losses=setup.losses,
    )
    seconds = time.perf_counter() - started
    return Result(
        season=_forecasts(fit.network, setup.tensors, rows),
        validation=_forecasts(fit.network, setup.tensors, setup.split.validation),
        parameters=count_parameters(fit.network),
        seconds=seconds,
        temperature=fit.temperature,
        best_epoch=fit.best_epoch,
        epochs=len(fit.epochs),
    )


def _forecasts(network: MatchForecaster, tensors: SequenceTensors, rows: NDArray[np.int64]) -> pl.DataFrame:
    logits, _ = raw_outputs(network, MappedReader(tensors, torch.device("cpu")), rows)
    with torch.no_grad():
        probabilities = torch.softmax(network.calibrate(logits), dim=1)
    columns = {
        **dict(zip(LOGITS, logits.T, strict=True)),
        **dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True)),
    }
    return (
        tensors.keys[rows]
        .select("match_id", "league_id", pl.col("kickoff_date").alias("date"))
        .with_columns(
            pl.Series("outcome", tensors.outcome[rows]),
            *(pl.Series(name, values.double().numpy()) for name, values in columns.items()),
        )
    )


def _derive(ablation: Derived, needed: Mapping[str, Result]) -> Result:
    """Compute a derived ablation's result; its cost is the sum of those it needs."""
    first = next(iter(needed.values()))
    probabilities = ablation.probabilities(needed)
    season = first.season.drop(LOGITS).with_columns(
        pl.Series(name, probabilities[:, i]) for i, name in enumerate(PROBABILITY_COLUMNS)
    )
    return Result(
        season=season,
        validation=first.validation.clear(),
        parameters=sum(result.parameters for result in needed.values()),
        seconds=sum(result.seconds for result in needed.values()),
        temperature=first.temperature,
        best_epoch=first.best_epoch,
        epochs=first.epochs,
    )


# ------------------------------------------------------------------------------------------------------- the cache


def _key(setup: Setup) -> str:
    """Digest what a result depends on: configuration, features, training matches, code and libraries."""
    return code_digest(
        Path(fitting.__file__),
        Path(passes.__file__),
        Path(networks.__file__),
        setup.config.model_dump_json(),
        setup.tensors.spec.model_dump_json(),
        hashlib.blake2b(setup.split.train.tobytes() + setup.split.validation.tobytes()).hexdigest(),
        inspect.getsource(setup.network_factory),
        inspect.getsource(setup.losses),
    )


def _read(folder: Path, name: str, key: str) -> Result | None:
    try:
        figures: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if figures.pop("key") != key:
        return None
    forecasts = pl.read_parquet(folder / f"{name}.parquet")
    season, validation = (
        forecasts.filter(pl.col("period") == period).drop("period") for period in ("season", "validation")
    )
    return Result(season, validation, **figures)


def _write(result: Result, folder: Path, name: str, key: str) -> None:
    """Write the forecasts first: a result without its figures counts as missing."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = folder / f"{name}.json"
    figures.unlink(missing_ok=True)
    parts = {"season": result.season, "validation": result.validation}
    pl.concat(part.with_columns(period=pl.lit(period)) for period, part in parts.items()).write_parquet(
        folder / f"{name}.parquet"
    )
    record = {
        "key": key,
        "parameters": result.parameters,
        "seconds": result.seconds,
        "temperature": result.temperature,
        "best_epoch": result.best_epoch,
        "epochs": result.epochs,
    }
    figures.with_suffix(".part").write_text(json.dumps(record, indent=1), encoding="utf-8")
    figures.with_suffix(".part").replace(figures)


# ------------------------------------------------------------------------------------------------------ the table


def table(found: Mapping[str, Sequence[Result]], years: Sequence[int], base: str) -> str:
    """Compare every ablation with the base, over all seasons and each, as Markdown; differences in thousandths."""
    first = pl.concat(result.season for result in found[DEFAULT])
    outcomes = first["outcome"].to_numpy()
    forecasts = {
        name: np.concatenate([probabilities_of_matches(result.season) for result in results])
        for name, results in found.items()
    }
    differences = paired_differences(
        forecasts, DEFAULT, outcomes, league_weeks(first["league_id"], first["date"])
    )
    rows = []
    for ablation in ABLATIONS:
        if ablation.name not in found:
            continue
        results = found[ablation.name]
        all_seasons = score(forecasts[ablation.name], outcomes)
        rows.append(
            [
                base if ablation.name == DEFAULT else ablation.text,
                interval_text(differences[ablation.name]["log_loss"]) if ablation.name in differences else "",
                f"{all_seasons.log_loss:.5f}",
                *(
                    f"{log_loss(probabilities_of_matches(result.season), result.season['outcome'].to_numpy()):.5f}"
                    for result in results
                ),
                f"{all_seasons.rps:.5f}",
                f"{all_seasons.ece:.4f}",
                f"{results[0].parameters:,}",
                f"{np.mean([result.seconds for result in results]):.0f}",
            ]
        )
    seasons = [season_label(year) for year in years]
    columns = [
        "ablation",
        f"log loss − {base}, thousandths",
        "log loss",
        *seasons,
        "RPS",
        "ECE",
        "parameters",
        "s",
    ]
    return "\n\n".join([f"{len(first):,} matches of {', '.join(seasons)}.", markdown(columns, rows)])


if __name__ == "__main__":
    main()
