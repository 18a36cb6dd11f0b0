"""A click group that imports the module of a command when the command is called or listed.

The class follows click's documentation, "Lazily Loading Subcommands".
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from football_assets.cli.extras import explain_missing_module


class LazyGroup(click.Group):
    """A group of commands, each given as the import path of its `click.Command`.

    Parameters
    ----------
    lazy_subcommands
        Import path `package.module:attribute` of each command, by the command's name.
    """

    def __init__(self, *args: Any, lazy_subcommands: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy_subcommands = lazy_subcommands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands in alphabetical order, importing none."""
        return sorted({*super().list_commands(ctx), *self.lazy_subcommands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by its name; None for a name that the group does not have.

        Raises
        ------
        TypeError
            The import path leads to something other than a command.
        """
        path = self.lazy_subcommands.get(cmd_name)
        if path is None:
            return super().get_command(ctx, cmd_name)
        module, attribute = path.split(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{path} is a {type(command).__name__}, not a click command.")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that is called.

        Raises
        ------
        MissingExtra
            The command imports a library of an extra that is not installed.
        """
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise explain_missing_module(error, ctx.invoked_subcommand) from error
