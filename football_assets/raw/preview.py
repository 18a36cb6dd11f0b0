"""Frames as Markdown tables, for asset metadata that a person reads."""

import polars as pl


def as_markdown(frame: pl.DataFrame) -> str:
    """All rows and columns of a small frame; nulls are blank."""
    if frame.is_empty():
        return "None."
    cells = frame.select(
        pl.all()
        .cast(pl.String)
        .fill_null("")
        .str.replace_all("|", r"\|", literal=True)
        .str.replace_all(r"\s+", " ")
    )
    rows = [" | ".join(row) for row in cells.iter_rows()]
    return "\n".join(
        f"| {row} |" for row in [" | ".join(frame.columns), " | ".join(["---"] * frame.width), *rows]
    )
