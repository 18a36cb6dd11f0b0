"""Which files of this machine are listed for landing, and in which order."""

import os
from pathlib import Path

import pytest

from football_assets.errors import LandingError
from football_assets.raw.landing.local_files import absolute_path, list_files


def write(path: Path, *, age: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (1_400_000_000 - age, 1_400_000_000 - age))
    return path


def test_files_are_listed_by_modification_time_then_by_name(tmp_path: Path) -> None:
    newest = write(tmp_path / "a" / "1.csv")
    second = write(tmp_path / "b" / "2.csv", age=10)
    first = write(tmp_path / "b" / "1.csv", age=10)
    oldest = write(tmp_path / "z.csv", age=20)
    assert list_files(tmp_path) == ([oldest, first, second, newest], [])


def test_a_file_is_its_own_list_even_if_it_is_hidden(tmp_path: Path) -> None:
    file = write(tmp_path / ".hidden.csv")
    assert list_files(file) == ([file], [])
    assert list_files(tmp_path) == ([], [])


def test_hidden_folders_are_not_entered(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "1.csv")
    file = write(tmp_path / "2014-15" / "eng.1.csv")
    assert list_files(tmp_path) == ([file], [])


def test_what_cannot_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    file = write(tmp_path / "a" / "1.csv")
    os.mkfifo(tmp_path / "a" / "pipe")
    (tmp_path / "a" / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    files, left = list_files(tmp_path)
    assert files == [file]
    assert sorted(left) == [
        (tmp_path / "a" / "lost", "The file cannot be opened: No such file or directory."),
        (tmp_path / "a" / "pipe", "It is not a regular file."),
        (tmp_path / "b", "It is a link to a folder, which is not followed: name that folder itself."),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing", "There is no file or folder"), ("pipe", "is neither a regular file nor a folder")],
)
def test_a_path_that_is_neither_file_nor_folder_is_an_error(tmp_path: Path, name: str, reason: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LandingError, match=reason):
        list_files(tmp_path / name)


def test_a_link_keeps_the_folder_in_which_it_lies(tmp_path: Path) -> None:
    target = write(tmp_path / "blobs" / "content")
    (tmp_path / "2014-15").mkdir()
    link = tmp_path / "2014-15" / "eng.1.csv"
    link.symlink_to(target)
    (tmp_path / "here").symlink_to(tmp_path / "2014-15")
    assert absolute_path(tmp_path / "here" / "eng.1.csv") == tmp_path.resolve() / "2014-15" / "eng.1.csv"
