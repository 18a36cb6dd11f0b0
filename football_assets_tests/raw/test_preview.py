"""Frames as Markdown tables."""

import polars as pl

from football_assets.raw.preview import as_markdown


def test_a_frame_is_a_markdown_table() -> None:
    frame = pl.DataFrame({"team": ["A|B", "C\nD"], "goals": [1, None]})
    assert as_markdown(frame) == "| team | goals |\n| --- | --- |\n| A\\|B | 1 |\n| C D |  |"


def test_an_empty_frame_says_so() -> None:
    assert as_markdown(pl.DataFrame({"team": []})) == "None."
