"""The reference of the command line, from click's commands."""

from collections.abc import Iterator
from inspect import cleandoc

import click

from football_assets.cli import football
from football_assets_tests.site import markdown
from football_assets_tests.site.markdown import cell, code, escaped, first_sentence, heading, table
from football_assets_tests.site.pages import Pages

PAGE = "reference/commands.md"
INTRODUCTION = """# Command line

`football COMMAND --help` prints the same. In a clone the command is `.venv/bin/football`.

"""
EXIT_CODES = """
## Exit codes { #exit-codes }

| Code | Meaning |
| --- | --- |
| 0 | Success. |
| 1 | An error, with one line on standard error that says what is wrong and what to do; or a failed check. |
| 2 | Wrong usage. |
| 130 | Interrupted by Ctrl-C. |

A full disk or a missing permission is an error of code 1 and leaves no partial file.

"""


def add_commands(pages: Pages) -> None:
    """Add the page of all commands."""
    commands = list(walk(football, click.Context(football, info_name="football")))
    rows = [
        [f"[{markdown.name(name)}](#{anchor_of(name)})", cell(first_sentence(command.help))]
        for name, command, _ in commands
    ]
    sections = [_section(name, command, context) for name, command, context in commands]
    pages.add(
        PAGE, INTRODUCTION + table(["Command", "What it does"], rows) + EXIT_CODES + "\n".join(sections)
    )


def walk(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield the full name, command and context of every command of a group, and of its groups."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield inner.command_path, command, inner
        if isinstance(command, click.Group):
            yield from walk(command, inner)


def anchor_of(name: str) -> str:
    """Return the anchor of a command's section: `football models show` is `football-models-show`."""
    return name.replace(" ", "-")


def _section(name: str, command: click.Command, context: click.Context) -> str:
    usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece)
    # click wraps paragraphs itself; the mark \b keeps a paragraph as it is.
    text = escaped(cleandoc(command.help or "").replace("\b\n", ""))
    rows = [
        [code(record[0]), cell(record[1])]
        for option in command.get_params(context)
        if option.name != "help" and (record := option.get_help_record(context)) and "--help" not in record[0]
    ]
    options = table(["Option", "Meaning"], rows) if rows else ""
    return (
        f"{heading(2, f'`{name}`', anchor_of(name))}\n```console\n{name} {usage}\n```\n\n{text}\n\n{options}"
    )
