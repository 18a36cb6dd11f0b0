"""List the files below a path of the local machine."""

import os
import stat
from pathlib import Path

from football_assets.errors import LandingError, reason_of

_LINK = "It is a link to a folder, which is not followed: name that folder itself."


def absolute_path(file: Path) -> Path:
    """Return the absolute path of a file. A link to a file keeps the folder of the link, not that of its target."""
    return file.parent.resolve() / file.name


def list_files(path: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """List a file, or the files of a folder in order of modification time, then name. Hidden ones are skipped.

    Returns
    -------
    tuple
        The regular files, and the unreadable files and folders, each with the reason.

    Raises
    ------
    LandingError
        There is no such file or folder, or it can be neither read nor listed.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        reason = "There is no" if isinstance(error, FileNotFoundError) else f"{reason_of(error)}: cannot read"
        raise LandingError(
            f"{reason} file or folder {path}: name a file of results or a folder of season folders."
        ) from error
    if stat.S_ISREG(mode):
        return [path], []
    if not stat.S_ISDIR(mode):
        raise LandingError(f"{path} is neither a regular file nor a folder: name a file of results.")
    found: list[tuple[int, str, Path]] = []
    left: list[tuple[Path, str]] = []
    closed: list[OSError] = []
    for name, folders, files in os.walk(path, onerror=closed.append):
        folder = Path(name)
        folders[:] = [child for child in folders if not child.startswith(".")]
        left += [(folder / child, _LINK) for child in folders if (folder / child).is_symlink()]
        for file in (folder / child for child in files if not child.startswith(".")):
            try:
                status = file.stat()
            except OSError as error:
                left.append((file, f"The file cannot be opened: {reason_of(error)}."))
                continue
            if stat.S_ISREG(status.st_mode):
                found.append((status.st_mtime_ns, file.relative_to(path).as_posix(), file))
            else:
                left.append((file, "It is not a regular file."))
    left += [(Path(error.filename), f"The folder cannot be opened: {reason_of(error)}.") for error in closed]
    return [file for _, _, file in sorted(found)], left
