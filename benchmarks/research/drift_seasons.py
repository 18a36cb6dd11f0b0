"""Count the alarms of the drift report on real seasons, and on seasons with a simulated change.

    python -m benchmarks.research.drift_seasons path/to/footballcsv

For each season a model is trained on the results before it and forecasts every match. The drift report is computed for
the windows of three versions of the season: the real one, one with 0.7 goals per match more, and one without home
advantage, both from the first day on. Ratings and form are recomputed from the changed results. The thresholds were
chosen on the seasons 2002-03 to 2009-10.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")

import polars as pl
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from football_assets_tests.builders.replay import Learnt, World

LEAGUES = ("eng.1", "eng.2", "es.1", "de.1", "it.1", "fr.1", "nl.1", "sco.1")
DAYS = (30, 60, 90)
AS_IT_WAS = "as it was"
RESTART = (date(2020, 5, 16), date(2021, 5, 31))  # played without crowds


@dataclass(frozen=True)
class Judged:
    """A window and the verdict about it."""

    season: int
    world: str
    leagues: int
    days: int
    start: str
    matches: int
    status: str
    reasons: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="Folder of seasons with a file a league, like footballcsv.")
    parser.add_argument(
        "--first", type=int, default=2010, help="Year in which the first judged season begins."
    )
    parser.add_argument("--last", type=int, default=2021, help="Year in which the last one begins.")
    parser.add_argument("--json", type=Path, help="File for every window's verdict.")
    arguments = parser.parse_args()
    judged = []
    with tempfile.TemporaryDirectory(prefix="drift-seasons-") as folder:
        for window in judge(arguments.data, Path(folder), arguments.first, arguments.last):
            judged.append(window)
    if arguments.json:
        arguments.json.write_text(
            json.dumps([asdict(window) for window in judged], indent=1), encoding="utf-8"
        )
    Console(width=110).print(rates(judged))
    return 0


def judge(data: Path, folder: Path, first: int, last: int) -> Iterator[Judged]:
    """Every window of every season, in every world."""
    from football_assets_tests.builders.replay import build_world, learn, more_goals, without_home_advantage

    raw_matches = read_results(data, folder / "landed")
    worlds: dict[str, Callable[[pl.DataFrame, date], pl.DataFrame]] = {
        AS_IT_WAS: lambda matches, _: matches,
        "+0.7 goals": more_goals,
        "no home advantage": without_home_advantage,
    }
    for year in range(first, last + 1):
        start, end = date(year, 7, 15), date(year + 1, 7, 14)
        known = raw_matches.filter(pl.col("kickoff_date") <= end)
        learnt = None
        for name, rewrite in worlds.items():
            place = folder / f"{year} {name}"
            world = build_world(rewrite(known, start), place)
            learnt = learnt or learn(world, start)
            yield from judge_season(year, name, world, learnt, start, end)
        print(f"{year}-{(year + 1) % 100:02} judged", file=sys.stderr)  # noqa: T201


def judge_season(
    year: int, name: str, world: "World", learnt: "Learnt", start: date, end: date
) -> Iterator[Judged]:
    """The windows of one season in one world, of all leagues and of the first alone."""
    from football_assets_tests.builders.replay import ask_for_every_match, replay

    log = ask_for_every_match(world, learnt, start, end)
    for leagues, part in ((len(LEAGUES), log), (1, log.filter(pl.col("league_id") == LEAGUES[0]))):
        for days in DAYS:
            for window in replay(part, world.matches, learnt.production, start, end, days):
                without_crowds = name == AS_IT_WAS and RESTART[0] <= window.start <= RESTART[1]
                yield Judged(
                    year,
                    "without crowds" if without_crowds else name,
                    leagues,
                    days,
                    str(window.start),
                    window.report.summary.predictions,
                    window.status,
                    window.report.summary.reasons,
                )


def read_results(data: Path, folder: Path) -> pl.DataFrame:
    """`raw_matches` of the chosen leagues."""
    from football_assets.raw.countries import landed_countries
    from football_assets.raw.landing import inventory, land
    from football_assets.raw.matches import read_countries
    from football_assets.storage.opening import open_bucket

    bucket = open_bucket(str(folder))
    land(bucket, sorted(file for league in LEAGUES for file in data.glob(f"*/{league}.*")))
    return read_countries(bucket, landed_countries(inventory(bucket)), date.today()).matches


def rates(judged: list[Judged]) -> Table:
    """Alarms by world and length of window."""
    table = Table(title="Windows in which the drift report raised an alarm")
    for name in ("results", "leagues", "days", "windows", "quiet", "matches a window", "alarms", "rate"):
        table.add_column(name, justify="left" if name == "results" else "right")
    kinds = dict.fromkeys((window.world, window.leagues, window.days) for window in judged)
    for kind in sorted(kinds):
        part = [window for window in judged if (window.world, window.leagues, window.days) == kind]
        loud = [window for window in part if window.status != "insufficient_data"]
        alarms = [window for window in loud if window.status == "drift"]
        matches = sum(window.matches for window in loud) / max(1, len(loud))
        table.add_row(
            *map(str, kind),
            str(len(loud)),
            str(len(part) - len(loud)),
            f"{matches:.0f}",
            str(len(alarms)),
            f"{len(alarms) / len(loud):.1%}" if loud else "",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
