"""Commands that are imported when they are called or listed."""

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from football_assets.cli import COMMANDS, football
from football_assets.cli.lazy_group import LazyGroup

MODULE = """import click
@click.command()
@click.argument("word")
def shout(word):
    "Print a word in capitals."
    click.echo(word.upper())
number = 5
"""


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """A group with two lazy commands, the second no command, and one that is loaded."""
    (tmp_path / "shouting.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shouting", raising=False)
    group = LazyGroup("group", lazy_subcommands={"shout": "shouting:shout", "count": "shouting:number"})
    group.add_command(click.Command("here", callback=lambda: click.echo("here")))
    return group


def test_names_are_listed_without_importing(group: LazyGroup) -> None:
    assert group.list_commands(click.Context(group)) == ["count", "here", "shout"]
    assert "shouting" not in sys.modules


def test_only_the_command_that_is_called_is_imported(group: LazyGroup) -> None:
    assert CliRunner().invoke(group, ["here"]).output == "here\n"
    assert "shouting" not in sys.modules
    assert CliRunner().invoke(group, ["shout", "goal"]).output == "GOAL\n"
    assert "shouting" in sys.modules


def test_an_unknown_name_is_a_usage_error(group: LazyGroup) -> None:
    shown = CliRunner().invoke(group, ["whisper"])

    assert shown.exit_code == 2
    assert "No such command 'whisper'" in shown.output


def test_a_path_to_something_else_is_a_fault_of_the_program(group: LazyGroup) -> None:
    with pytest.raises(TypeError, match="shouting:number is a int, not a click command"):
        group.get_command(click.Context(group), "count")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_football_is_found_under_its_own_name(name: str) -> None:
    command = football.get_command(click.Context(football), name)

    assert command is not None
    assert command.name == name
