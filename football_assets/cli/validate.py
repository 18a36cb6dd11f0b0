"""`football validate`: run the checks of the pipeline on objects of the bucket, without changing anything."""

from dataclasses import asdict
from pathlib import Path

import click

from football_assets.cli.context import open_registry, prepare_command_home
from football_assets.cli.exit_codes import EXIT_FAILURE
from football_assets.cli.options import home_option, json_option
from football_assets.cli.output_files import check_writable, write_json


@click.group("validate")
@home_option
def validate_group() -> None:
    """Check landed results or a model version as the pipeline does, without changing anything."""


@validate_group.command("results")
@home_option
@json_option
@click.argument("names", nargs=-1, required=True, metavar="OBJECT...")
def validate_results(names: tuple[str, ...], json_file: Path | None) -> int:
    """Check landing objects by their names in the bucket, like raw/footballcsv/2015-16/eng.1.csv.

    Exits with 1 if an object is missing, holds no match, is of another division than its name says, or has more than
    5 % of its records rejected.
    """
    settings = prepare_command_home()
    check_writable(json_file)
    from football_assets.raw.landing.validation import validate_objects
    from football_assets.storage.opening import open_bucket

    validated = validate_objects(open_bucket(settings.bucket_url), names)
    for item in validated:
        found = item.summary
        counts = f"{found.results:,} results, {found.fixtures:,} fixtures, {found.rejected:,} rejected"
        click.echo(f"{item.name}: {counts if item.is_valid else item.problem}", err=not item.is_valid)
    invalid = [item.name for item in validated if not item.is_valid]
    objects = [{"name": item.name, "problem": item.problem, **asdict(item.summary)} for item in validated]
    write_json(json_file, {"valid": not invalid, "objects": objects})
    return EXIT_FAILURE if invalid else 0


@validate_group.command("model")
@home_option
@json_option
@click.argument("version", default="candidate")
def validate_model(version: str, json_file: Path | None) -> int:
    """Check that all files of VERSION, a number or an alias, are intact and that its model predicts.

    Exits with 1 if a file is missing or altered, or cannot be read. A version that the gate rejected is valid.
    """
    settings = prepare_command_home()
    check_writable(json_file)
    from football_assets.registry.validation import validate_version

    found = validate_version(open_registry(settings), version, settings.scratch)
    if found.is_valid:
        decision = {None: "not decided yet", True: "accepted", False: "rejected"}[found.is_accepted]
        click.echo(f"Model version {found.version} is intact. Gate: {decision}.")
        for reason in found.reasons:
            click.echo(f"gate: {reason}")
    else:
        click.echo(found.problem, err=True)
    write_json(json_file, {"valid": found.is_valid, **asdict(found)})
    return 0 if found.is_valid else EXIT_FAILURE
