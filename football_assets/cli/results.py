"""`football land`, `sync` and `clubs`: results of the bucket's landing area."""

from datetime import date
from pathlib import Path

import click

from football_assets.cli.context import prepare_command_home
from football_assets.cli.exit_codes import EXIT_FAILURE
from football_assets.cli.options import FOLDER, PATH, SEASON, home_option, json_option
from football_assets.cli.output_files import check_writable, write_json
from football_assets.errors import FootballError


@click.command("land")
@home_option
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="PATH...")
def land_command(paths: tuple[Path, ...]) -> int:
    """Copy result files, or folders of result files, into the bucket.

    Accepted: openfootball JSON, footballcsv CSV and football-data.co.uk CSV, each in a folder named after its season,
    as in 2015-16/eng.1.csv or 2015-16/E0.csv; football-data.co.uk's files that span leagues or seasons (fixtures.csv,
    new_league_fixtures.csv, ARG.csv); FiveThirtyEight's spi_matches.csv; CSV files of expected goals; and the folder of
    the Kaggle competition "Football Match Probability Prediction" (train.csv, test.csv, train_target_and_scores.csv).

    Prints the matches of each file, the number of rejected records and of matches without some of their odds or
    statistics, and the first reason. Exits with 1 if a file has no match, or another division or the clubs of
    another country than its name says; the other files are landed.
    """
    settings = prepare_command_home()
    from football_assets.raw.landing import land
    from football_assets.raw.landing.report import problem_lines, report_lines
    from football_assets.storage.opening import open_bucket

    result = land(open_bucket(settings.bucket_url), paths)
    for line in problem_lines(result):
        click.echo(line, err=True)
    for line in report_lines(result):
        click.echo(line)
    return 0 if result.is_complete else EXIT_FAILURE


@click.command("sync")
@home_option
@click.argument(
    "sources",
    nargs=-1,
    required=True,
    type=click.Choice(["openfootball", "footballcsv", "football-data", "football-data-extra"]),
)
@click.option(
    "--season",
    "seasons",
    type=SEASON,
    multiple=True,
    help="Season, like 2025-26 or 2025; repeatable. Default: the current seasons.",
)
@click.option("--league", "leagues", multiple=True, help="League, like eng.1; repeatable. Default: all.")
def sync_command(sources: tuple[str, ...], seasons: tuple[str, ...], leagues: tuple[str, ...]) -> None:
    """Fetch current results from public SOURCES into the bucket.

    Only changed files are fetched and written. A truncated file, a file without results, or one with fewer matches than
    before is rejected, and the landed file does not change.
    """
    settings = prepare_command_home()
    from football_assets.cli.tables import results_console, rows_table
    from football_assets.raw.sync.results import SyncedFile, sync_sources
    from football_assets.storage.opening import open_bucket

    def report(file: SyncedFile) -> None:
        click.echo(f"{file.status:<10}{file.url}", err=True)

    bucket = open_bucket(settings.bucket_url)
    result = sync_sources(
        bucket, settings, sources, today=date.today(), seasons=seasons, leagues=leagues, report=report
    )
    rows = [
        (file.source, file.season, file.league_id, file.status, file.matches or "", file.note)
        for file in result.files
    ]
    columns = ("source", "season", "league", "status", "matches", "note")
    results_console().print(rows_table(columns, rows, result.summary))
    if result.problem:
        raise FootballError(result.problem)


@click.command("clubs")
@home_option
@click.option(
    "--raw",
    "folders",
    type=FOLDER,
    multiple=True,
    help="Folder of result files to compare instead of what has landed; repeatable.",
)
@click.option(
    "--season", "seasons", type=SEASON, multiple=True, help="Season, like 2015-16; repeatable. Default: all."
)
@json_option
def clubs_command(folders: tuple[Path, ...], seasons: tuple[str, ...], json_file: Path | None) -> int:
    """Compare the clubs of leagues that two or more sources have, and list every club that does not match.

    Exits with 1 if two names of one club play different fixtures on the same days.
    """
    settings = prepare_command_home()
    check_writable(json_file)
    from tempfile import TemporaryDirectory

    from football_assets.cli.tables import club_tables, results_console
    from football_assets.raw.landing import inventory, land
    from football_assets.raw.landing.report import problem_lines
    from football_assets.raw.matches import named_entries
    from football_assets.raw.matching.club_report import club_report
    from football_assets.storage.opening import open_bucket

    with TemporaryDirectory(prefix="football-clubs-") as scratch:
        bucket = open_bucket(scratch if folders else settings.bucket_url)
        if folders:
            for line in problem_lines(land(bucket, folders)):
                click.echo(line, err=True)
        landed = inventory(bucket).seasons
        unknown = sorted(set(seasons) - set(landed))
        if unknown:
            raise FootballError(
                f"No results of {', '.join(unknown)} have landed. Seasons: {', '.join(landed) or 'none'}."
            )
        report = club_report(named_entries(bucket, seasons or landed, date.today()))
    write_json(json_file, report.as_dict())
    console = results_console()
    for table in club_tables(report):
        console.print(table)
    return EXIT_FAILURE if report.contradictions.height else 0
