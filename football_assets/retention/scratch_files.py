"""Files of the scratch folder that can be removed: what killed processes left, and copies that nothing uses."""

import shutil
import stat
from collections.abc import Callable, Container, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from football_assets.retention.removal import Removal
from football_assets.runtime.folders import entries_in

SCRATCH_KIND = "scratch"
SPOOL = "prediction_log"
"""Folder of the segments that are not uploaded yet: acknowledged records, of which there is no other copy."""
KEPT_SCRATCH = frozenset({SPOOL, "serve_metrics", "wandb"})
"""Folders that are left alone: the spool, what running replicas count, and runs for `wandb sync`."""

_ARTIFACTS, _MODELS, _REGISTRY = "artifacts", "models", "registry"


def removable_scratch(
    scratch: Path,
    hours: int,
    now: datetime,
    named: Callable[[str], Container[str]],
    needed: Container[int] | None,
) -> Iterator[Removal]:
    """Yield files and folders that were last written some hours ago.

    Parameters
    ----------
    named
        Digests of an artifact that its pointer names: copies of them are in use.
    needed
        Model versions whose copies are in use; None: it is not known which, and all copies stay.
    """
    for path in _units(scratch):
        relative = path.relative_to(scratch)
        written = _newest(path)
        if now - written <= timedelta(hours=hours) or _is_used(relative, named, needed):
            continue
        why = f"not written for {hours} hours"
        yield Removal(
            SCRATCH_KIND,
            str(relative),
            _size(path),
            written,
            why,
            lambda p=path, w=written: _remove(p, w),  # type: ignore[misc]
        )


def _units(scratch: Path) -> Iterator[Path]:
    """Yield what is removed as a whole: copies of one artifact or version, and everything else at the top."""
    for path in _entries(scratch):
        if path.name in KEPT_SCRATCH:
            continue
        if path.name == _ARTIFACTS:
            for artifact in _entries(path):
                yield from _entries(artifact)
        elif path.name == _REGISTRY:
            yield from _entries(path)
        elif path.name == _MODELS:
            for folder in _entries(path):
                yield from _entries(folder)
        else:
            yield path


def _is_used(relative: Path, named: Callable[[str], Container[str]], needed: Container[int] | None) -> bool:
    top, *rest = relative.parts
    if top == _ARTIFACTS and len(rest) == 2:
        return rest[1] in named(rest[0])
    if top in {_REGISTRY, _MODELS} and rest:
        number = rest[-1].partition("-")[0]
        return needed is None or (number.isdecimal() and int(number) in needed)
    return False


def _remove(path: Path, written: datetime) -> bool:
    if _newest(path) != written:
        return False
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return not path.exists()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _newest(path: Path) -> datetime:
    """Return when anything of a file or folder was last written; the epoch if it is gone."""
    times = [status.st_mtime for _, status in entries_in(path)]
    return datetime.fromtimestamp(max(times, default=0.0), UTC)


def _size(path: Path) -> int:
    return sum(status.st_size for _, status in entries_in(path) if stat.S_ISREG(status.st_mode))
