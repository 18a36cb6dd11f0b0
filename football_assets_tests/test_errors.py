"""Messages for errors of the operating system."""

import errno
import sqlite3
from pathlib import Path

import pytest

from football_assets.errors import FootballError, explain, is_utf8, printable


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_an_error_of_a_file_names_it_with_the_reason_and_what_to_do(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/data/K\udcf6ln.csv")

    assert (
        explain(full, [tmp_path])
        == r"/data/K\xf6ln.csv: No space left on device. Free space on that disk, or name a place on another one."
    )
    closed = PermissionError(errno.EACCES, "Permission denied", "/data/a.csv")
    assert (
        explain(closed, [tmp_path])
        == "/data/a.csv: Permission denied. Change the permissions, or name another place."
    )
    missing = FileNotFoundError(errno.ENOENT, "No such file or directory", "/data/a.csv")
    assert explain(missing, [tmp_path]) == "/data/a.csv: No such file or directory."


def test_an_error_is_found_among_the_causes_of_others(tmp_path: Path) -> None:
    cause = OSError(errno.EROFS, "Read-only file system", "/data/a")

    assert explain(raised(ValueError("wrapped"), cause), [tmp_path]) == explain(cause, [tmp_path])


def test_an_error_without_a_file_names_the_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    nameless = OSError(errno.ENOSPC, "No space left on device")

    # Nobody, not even root, writes to the folder of the processes.
    assert "/proc/home is full: No space left" in str(explain(nameless, [tmp_path, Path("/proc/home")]))
    assert str(explain(nameless, [tmp_path])).startswith("Standard output: No space left on device.")
    storage = sqlite3.OperationalError("disk I/O error")
    assert explain(storage, [Path("/proc/home")]) == (
        "Dagster's storage cannot be used: disk I/O error (the disk of /proc/home is full): "
        "free space or change permissions, or name another home."
    )
    assert explain(sqlite3.OperationalError("database is locked"), [tmp_path]) == (
        "Dagster's storage cannot be used: database is locked."
    )


@pytest.mark.parametrize("error", [ValueError("no number"), FootballError("refused"), KeyError("home")])
def test_a_fault_of_the_program_is_not_explained(error: Exception, tmp_path: Path) -> None:
    assert explain(raised(error), [tmp_path]) is None


def test_names_of_other_bytes_are_printable() -> None:
    assert printable("K\udcf6ln.csv") == r"K\xf6ln.csv"
    assert printable(Path("Köln.csv")) == "Köln.csv"
    assert (is_utf8("Köln.csv"), is_utf8("K\udcf6ln.csv")) == (True, False)


def test_a_fault_of_the_program_while_an_error_is_handled_is_not_explained_by_it(tmp_path: Path) -> None:
    error = KeyError("home")
    error.__context__ = OSError(errno.ENOENT, "No such file or directory", "/data/a.csv")
    assert explain(error, [tmp_path]) is None
