"""Recognise the files of the Kaggle competition and rebuild the files of one folder to files of results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from football_assets.errors import printable
from football_assets.raw.formats.competition_headers import is_scores_header, is_wide_header
from football_assets.raw.formats.csv_lines import column_names
from football_assets.raw.formats.records import UnreadableFile
from football_assets.raw.kaggle.rebuilding import rebuild
from football_assets.raw.kaggle.result_files import RebuiltFile
from football_assets.raw.kaggle.wide_format import WideFile, read_scores, read_wide

_HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class RebuiltFolder:
    """Rebuilt files, each with the file that it was rebuilt from, and skipped files, each with the reason."""

    rebuilt: tuple[tuple[Path, RebuiltFile], ...]
    skipped: tuple[tuple[Path, str], ...]


def is_of_competition(file: Path) -> bool:
    """Return whether a file has the columns of `train.csv`, `test.csv` or `train_target_and_scores.csv`."""
    try:
        with file.open("rb") as opened:
            names = column_names(opened.read(_HEADER_BYTES))
    except (OSError, UnreadableFile):
        return False
    return is_wide_header(names) or is_scores_header(names)


def rebuild_folder(files: Sequence[Path]) -> RebuiltFolder:
    """Rebuild the competition files of one folder to files of results. A file that cannot be read is skipped."""
    wide: dict[Path, WideFile] = {}
    scores: dict[Path, pl.DataFrame] = {}
    skipped: list[tuple[Path, str]] = []
    for file in sorted(files):
        try:
            data = file.read_bytes()
            if is_scores_header(column_names(data[:_HEADER_BYTES])):
                scores[file] = read_scores(data)
            else:
                wide[file] = read_wide(data)
        except OSError as error:
            skipped.append((file, f"The file cannot be opened: {error.strerror}."))
        except UnreadableFile as error:
            skipped.append((file, str(error)))
    for file in [file for file, read in wide.items() if read.matches["kickoff"].is_null().all()]:
        del wide[file]
        skipped.append((file, "No line has a match_date like '2019-12-01 00:45:00'."))
    if not wide:
        lone = (
            "The scores have no teams and dates without train.csv: move both into one folder and land that."
        )
        return RebuiltFolder((), (*skipped, *((file, lone) for file in scores)))
    # train.csv, which has outcomes, comes before test.csv: of a line in both the first is kept.
    ordered = sorted(wide, key=lambda file: (wide[file].matches["outcome"].is_null().all(), file.name))
    rebuilt = rebuild(
        {printable(file.name): wide[file] for file in ordered},
        {printable(file.name): read for file, read in scores.items()},
    )
    if rebuilt.scores_of_no_match:
        reason = f"{rebuilt.scores_of_no_match} of its scores have an id that is in no other file."
        skipped.append((min(scores), reason))
    return RebuiltFolder(tuple((ordered[0], made) for made in rebuilt.files), tuple(skipped))
