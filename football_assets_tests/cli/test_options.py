"""Types of options, and options that several commands share."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from football_assets.cli.options import (
    EXISTING_FILE,
    FILE,
    FOLDER,
    SEASON,
    home_option,
    json_option,
    period_options,
    plot_option,
)


@pytest.mark.parametrize(
    ("written", "season"),
    [("2015-16", "2015-16"), ("2015/16", "2015-16"), ("2015/2016", "2015-16"), ("2015", "2015")],
)
def test_a_season_has_one_label_however_it_is_written(written: str, season: str) -> None:
    assert SEASON.convert(written, None, None) == season


def test_a_season_that_cannot_be_parsed_is_rejected() -> None:
    with pytest.raises(click.BadParameter, match="'2015-17' is not a season: write it like 2015-16"):
        SEASON.convert("2015-17", None, None)


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_file_name_is_rejected(name: str) -> None:
    with pytest.raises(click.BadParameter, match="the name is empty"):
        FILE.convert(name, None, None)


def test_a_tilde_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert FOLDER.convert("~/matches", None, None) == tmp_path / "matches"


def test_an_existing_file_is_required_where_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "there.yaml").touch()

    assert EXISTING_FILE.convert(str(tmp_path / "there.yaml"), None, None) == tmp_path / "there.yaml"
    with pytest.raises(click.BadParameter, match=r"nowhere.yaml.* does not exist"):
        EXISTING_FILE.convert(str(tmp_path / "nowhere.yaml"), None, None)


def test_the_home_that_is_named_last_is_that_of_the_root_context() -> None:
    @click.group()
    @home_option
    def root() -> None: ...

    @root.command()
    @home_option
    @click.pass_context
    def show(context: click.Context) -> None:
        click.echo(context.find_root().obj)

    for arguments, home in (
        (["--home", "a", "show"], "a"),
        (["show", "--home", "b"], "b"),
        (["--home", "a", "show", "--home", "b"], "b"),
        (["show"], ""),
    ):
        assert CliRunner().invoke(root, arguments).output == f"{home}\n"


def test_shared_options_are_passed_under_their_names() -> None:
    found: dict[str, Any] = {}

    @click.command()
    @period_options
    @plot_option
    @json_option
    def command(**given: object) -> None:
        found.update(given)

    files = ("--raw", "a", "--raw", "b", "--odds", "o.csv", "--plot", "p.png", "--json", "f.json")
    shown = CliRunner().invoke(command, ["--start", "2015-08-01", *files])

    assert shown.exit_code == 0, shown.output
    assert found == {
        "folders": (Path("a"), Path("b")),
        "tensors_folder": None,
        "start": datetime(2015, 8, 1),
        "end": None,
        "odds": Path("o.csv"),
        "plot": Path("p.png"),
        "json_file": Path("f.json"),
    }
