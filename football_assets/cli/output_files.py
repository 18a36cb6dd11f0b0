"""Files that a command writes for its user: `--json`, `--out` and `--plot`."""

import io
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from football_assets.errors import FootballError, advice_for, reason_of

if TYPE_CHECKING:
    import polars as pl


def check_writable(file: Path | None) -> None:
    """Check before the computation that its result can be written to a file.

    Raises
    ------
    FootballError
        The file or its folder does not exist or may not be written to.
    """
    if file is None:
        return
    folder = file.absolute().parent
    if not file.exists() and not os.access(folder, os.W_OK):
        raise FootballError(f"{file} cannot be written: {folder} is not a folder with write permission.")
    if file.exists() and not os.access(file, os.W_OK):
        raise FootballError(f"{file} cannot be written: you may not write to that file.")


def write_json(file: Path | None, figures: Mapping[str, Any]) -> None:
    """Write figures as indented JSON; None writes nothing."""
    if file is not None:
        write_output(file, (json.dumps(figures, indent=2) + "\n").encode())


def write_parquet(file: Path, frame: "pl.DataFrame") -> None:
    """Write a table as Parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    write_output(file, buffer.getvalue())


def write_output(file: Path, data: bytes) -> None:
    """Replace a file atomically: on a full disk the old one is left unchanged.

    What is no regular file, such as `/dev/stdout`, is written to directly.

    Raises
    ------
    FootballError
        The file could not be written.
    """
    target = file.resolve()
    is_replaced = (target.is_file() or not target.exists()) and os.access(target.parent, os.W_OK)
    written = target.parent / f".{target.name[:100]}-{secrets.token_hex(8)}" if is_replaced else target
    try:
        written.write_bytes(data)
        if is_replaced:
            written.replace(target)
    except OSError as error:
        if is_replaced:
            written.unlink(missing_ok=True)
        raise FootballError(f"{file} could not be written: {reason_of(error)}.{advice_for(error)}") from error
