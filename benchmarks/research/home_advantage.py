"""Log-likelihood of goals by memory and shrinkage of the home advantage that all leagues share.

    python -m benchmarks.research.home_advantage --tensors ablations_home/home/bucket/artifacts/sequence_tensors/DIGEST

No network is trained, and matches from August 2020 on are not used. The expected goals of a match are the league's
means with the shift of home advantage as of its day. In four seasons home and away are swapped for a quarter of the
matches, which halves home advantage and shows how fast the shift adapts.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.research.comparison import markdown
from football_assets.sequences.home_advantage import home_advantage_shift
from football_assets.sequences.tensors import SequenceTensors, open_tensors

MEMORIES = (500, 1000, 1500, 2000)
ERRORS = (0.0, 2.0)
PERIODS = (
    (date(2000, 7, 1), date(2005, 6, 30)),
    (date(2005, 7, 1), date(2010, 6, 30)),
    (date(2010, 7, 1), date(2015, 6, 30)),
    (date(2015, 7, 1), date(2019, 6, 30)),
    (date(2019, 7, 1), date(2020, 4, 30)),
    (date(2020, 5, 1), date(2020, 7, 31)),
)
EXCHANGED = (2004, 2009, 2014, 2017)  # seasons
SHARE = 0.25


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tensors", type=Path, required=True, help="sequence_tensors that a run has made")
    matches = matches_of(open_tensors(parser.parse_args().tensors))
    worlds = [exchanged(matches, year, seed) for seed, year in enumerate(EXCHANGED)]
    rows = []
    for errors in ERRORS:
        for memory in MEMORIES:
            gains = [1000 * gain(matches, memory, errors, *period) for period in PERIODS]
            learnt = [
                1000 * gain(world, memory, errors, date(year, 8, 1), date(year + 1, 6, 30))
                for year, world in zip(EXCHANGED, worlds, strict=True)
            ]
            rows.append(
                [
                    f"{memory:,}",
                    f"{errors:g}",
                    *(f"{value:+.2f}" for value in gains),
                    ", ".join(f"{value:.1f}" for value in learnt),
                ]
            )
    periods = [f"{first:%m.%Y} to {last:%m.%Y}" for first, last in PERIODS]
    sys.stdout.write(
        markdown(["memory, matches", "standard errors taken off", *periods, "sides exchanged"], rows) + "\n"
    )


def matches_of(tensors: SequenceTensors) -> pl.DataFrame:
    """The played matches, as `home_advantage_shift` reads them."""
    names = tensors.spec.context_names
    columns: dict[str, NDArray[np.number]] = {
        "home_goals": tensors.goals[:, 0],
        "away_goals": tensors.goals[:, 1],
        **{
            name: tensors.context[:, names.index(name)] for name in ("league_home_goals", "league_away_goals")
        },
    }
    return tensors.keys.with_columns(pl.Series(name, values) for name, values in columns.items()).filter(
        "is_played"
    )


def exchanged(matches: pl.DataFrame, year: int, seed: int) -> pl.DataFrame:
    """The matches with the goals of some exchanged, from August of a year to June of the next."""
    in_season = pl.col("kickoff_date").is_between(date(year, 8, 1), date(year + 1, 6, 30))
    drawn = pl.Series(np.random.default_rng(seed).random(len(matches)) < SHARE)
    home, away = pl.col("home_goals"), pl.col("away_goals")
    is_exchanged = in_season & drawn
    return matches.with_columns(
        pl.when(is_exchanged).then(away).otherwise(home).alias("home_goals"),
        pl.when(is_exchanged).then(home).otherwise(away).alias("away_goals"),
    )


def gain(matches: pl.DataFrame, memory: float, errors: float, first: date, last: date) -> float:
    """Mean log-likelihood of a period's goals above that without a shift, in nats a match."""
    part = matches.filter(pl.col("kickoff_date").is_between(first, last))
    shift = home_advantage_shift(matches, memory, errors).before(part["kickoff_date"])

    def values(name: str) -> NDArray[np.float64]:
        return part[name].cast(pl.Float64).to_numpy()

    gained = (values("home_goals") - values("away_goals")) * shift / 2
    lost = values("league_home_goals") * (np.exp(shift / 2) - 1)
    lost += values("league_away_goals") * (np.exp(-shift / 2) - 1)
    return float((gained - lost).mean())


if __name__ == "__main__":
    main()
