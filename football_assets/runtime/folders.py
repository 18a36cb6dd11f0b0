"""Walk through folders in which other processes create and remove files."""

import os
from collections.abc import Iterator
from pathlib import Path


def entries_in(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield a file, or a folder with all that is in it, each with its status; what is removed meanwhile is left out.

    Symbolic links are not followed. `Path.rglob` ends with an error at a folder that was removed since it was listed.
    """
    found = [path]
    if not path.is_symlink():
        for folder, folders, files in os.walk(path):
            found += (Path(folder, name) for name in [*folders, *files])
    for entry in found:
        try:
            yield entry, entry.lstat()
        except FileNotFoundError:
            continue
