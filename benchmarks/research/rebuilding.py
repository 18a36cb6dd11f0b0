"""Count the matches, right and wrong, that are rebuilt from a wide file in the format of the Kaggle competition.

    python -m benchmarks.research.rebuilding path/to/footballcsv

The file has real results of July 2018 to June 2021: one line for a share of the matches since December 2019, with the
histories of all matches. Kick-offs are at six times of the day, since footballcsv has none. `--full` adds a file of the
competition's size, most of it in leagues that have no id here.
"""

import argparse
import random
import tempfile
import time
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console

from football_assets.domain.leagues import SPORTMONKS_LEAGUES, league_of
from football_assets.raw.formats.reader import read_results
from football_assets.raw.kaggle.competition import rebuild_folder
from football_assets.raw.kaggle.result_files import RebuiltFile
from football_assets_tests.builders.wide_files import Played, all_scores, rows_of, scores_csv, wide_csv

FIRST, LAST = date(2018, 7, 1), date(2021, 6, 30)
FIRST_LINE = "2019-12-01"
CLOCKS = ("12:30:00", "14:00:00", "15:00:00", "17:00:00", "19:30:00", "20:00:00")
COPIES = 6  # makes a file of about 100,000 lines
NUMBERS = {league: number for number, league in SPORTMONKS_LEAGUES.items()}


def main() -> None:
    """Make files, rebuild them, and print what came back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of season folders in footballcsv's format")
    parser.add_argument(
        "--full", action="store_true", help="also a file of the competition's size: minutes to make"
    )
    arguments = parser.parse_args()
    played = real_results(arguments.results)
    for share in (1.0, 0.6, 0.2):
        for with_ratings in (True, False):
            report(played, share, with_ratings=with_ratings)
    if arguments.full:
        report([copied(match, copy) for copy in range(COPIES) for match in played], 1.0, with_ratings=True)


def real_results(folder: Path) -> list[Played]:
    """Results of the span, with invented times of kick-off."""
    chance = random.Random(1)
    found = []
    for file in sorted(folder.rglob("*.csv")):
        league = NUMBERS[league_of(file.stem).league_id]
        found += [
            Played(
                row.home_team,
                row.away_team,
                f"{row.kickoff_date} {chance.choice(CLOCKS)}",
                f"{row.home_goals}-{row.away_goals}",
                league,
                file.stem,
            )
            for row in read_results("csv", file.read_bytes()).rows
            if FIRST <= row.kickoff_date <= LAST and row.home_goals is not None
        ]
    return found


def copied(match: Played, copy: int) -> Played:
    """Return the match in another league, which has no id here. Copy 0 is the match itself."""
    if copy == 0:
        return match
    home, away = f"{match.home} {copy}", f"{match.away} {copy}"
    return Played(home, away, match.kickoff, match.score, match.league + 10_000 * copy, match.league_name)


def report(played: list[Played], share: float, *, with_ratings: bool) -> None:
    """Print the number of matches in a file's lines, of rebuilt and of wrong ones, with time and memory."""
    chance = random.Random(2)
    lines = [match for match in played if match.kickoff >= FIRST_LINE and chance.random() < share]
    rows = rows_of(played, lines, with_ratings=with_ratings)
    with tempfile.TemporaryDirectory() as scratch:
        train, scores = Path(scratch) / "train.csv", Path(scratch) / "train_target_and_scores.csv"
        train.write_text(wide_csv(rows))
        scores.write_text(scores_csv(rows, all_scores(played)))
        megabytes = train.stat().st_size / 1e6
        with get_context("spawn").Pool(1) as pool:
            made, seconds, memory = pool.apply(rebuilt, ([train, scores],))
    truth = {(league_id(match), match.home, match.away, match.score) for match in played}
    listed = sum(match.league in SPORTMONKS_LEAGUES for match in lines)
    known = [
        (file.league_id, row.home_team, row.away_team, f"{row.home_goals}-{row.away_goals}")
        for _, file in made
        for row in read_results("csv", file.data).rows
    ]
    wrong = sum(match not in truth for match in known)
    rejected = sum(file.rejected for _, file in made)
    Console(width=200).print(
        f"{len(lines):>7,} lines ({share:.0%}, {megabytes:.0f} MB, {'with' if with_ratings else 'no'} ratings): "
        f"{len(known):,} matches, {len(known) - listed:,} of them rebuilt from histories, {wrong} wrong; "
        f"{rejected:,} records rejected; {seconds:.1f} s, {memory:.2f} GB at most"
    )


def rebuilt(files: list[Path]) -> tuple[tuple[tuple[Path, RebuiltFile], ...], float, float]:
    """Return the files rebuilt from files, the seconds, and the peak memory of the process in GB."""
    start = time.perf_counter()
    made = rebuild_folder(files).rebuilt
    seconds = time.perf_counter() - start
    # Not getrusage: it counts what the parent held when it started this process.
    peak = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return made, seconds, int(peak.split()[1]) / 1e6


def league_id(match: Played) -> str | None:
    """The league of a match, None for a copy's."""
    return SPORTMONKS_LEAGUES.get(match.league)


if __name__ == "__main__":
    main()
