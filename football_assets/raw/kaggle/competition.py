"""The files of the Kaggle competition in one folder: which they are, and the files of results made of them. Called by
`placing.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from football_assets.errors import printable
from football_assets.raw.formats.csv_lines import column_names
from football_assets.raw.formats.records import UnreadableFile
from football_assets.raw.kaggle.rebuilding import RebuiltFile, rebuild
from football_assets.raw.kaggle.wide_format import (
    WideFile,
    is_scores_header,
    is_wide_header,
    read_scores,
    read_wide,
)

_HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class RebuiltFolder:
    """What was made, each with the file that it stands for, and which files were left, each with the reason."""

    made: tuple[tuple[Path, RebuiltFile], ...]
    left: tuple[tuple[Path, str], ...]


def is_of_competition(file: Path) -> bool:
    """Whether a file has the columns of `train.csv`, `test.csv` or `train_target_and_scores.csv`."""
    try:
        with file.open("rb") as opened:
            names = column_names(opened.read(_HEADER_BYTES))
    except (OSError, UnreadableFile):
        return False
    return is_wide_header(names) or is_scores_header(names)


def rebuild_folder(files: Sequence[Path]) -> RebuiltFolder:
    """Make files of results of the files of the competition in one folder. A file that cannot be read is left."""
    wide: dict[Path, WideFile] = {}
    scores: dict[Path, pl.DataFrame] = {}
    left: list[tuple[Path, str]] = []
    for file in sorted(files):
        try:
            data = file.read_bytes()
            if is_scores_header(column_names(data[:_HEADER_BYTES])):
                scores[file] = read_scores(data)
            else:
                wide[file] = read_wide(data)
        except OSError as error:
            left.append((file, f"The file cannot be opened: {error.strerror}."))
        except UnreadableFile as error:
            left.append((file, str(error)))
    for file in [file for file, read in wide.items() if read.matches["kickoff"].is_null().all()]:
        del wide[file]
        left.append((file, "No line has a match_date like '2019-12-01 00:45:00'."))
    if not wide:
        lone = "The scores say nothing without train.csv: put both into one folder and land that."
        return RebuiltFolder((), (*left, *((file, lone) for file in scores)))
    # A line that is in both is known by its outcome: train.csv comes before test.csv.
    ordered = sorted(wide, key=lambda file: (wide[file].matches["outcome"].is_null().all(), file.name))
    rebuilt = rebuild(
        {printable(file.name): wide[file] for file in ordered},
        {printable(file.name): read for file, read in scores.items()},
    )
    if rebuilt.scores_of_no_match:
        reason = f"{rebuilt.scores_of_no_match} of its scores are of no line of the other files."
        left.append((min(scores), reason))
    return RebuiltFolder(tuple((ordered[0], made) for made in rebuilt.files), tuple(left))
