"""Where files land, and which do not."""

import os
from pathlib import Path
from typing import Any

import pytest

from football_assets.errors import BucketError, LandingError, PreconditionFailed
from football_assets.raw.landing import land
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

RESULTS = csv_of("Sat Aug 16 2014,Leeds,2-1,?,Hull")
WRONG_DIVISION = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nSP1,16/08/14,Almeria,Vallecano,0,2\n"


def write(path: Path, content: str | bytes = RESULTS, *, age: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (1_400_000_000 - age, 1_400_000_000 - age))
    return path


def test_a_broken_file_with_a_place_lands_so_that_its_rejection_is_on_record(
    bucket: Bucket, tmp_path: Path
) -> None:
    root = tmp_path / "results"
    write(root / "2014-15" / "eng.1.csv")
    write(root / "2014-15" / "eng.2.json", "<html>404</html>")
    result = land(bucket, [root])
    (problem,) = result.problems
    assert problem.path == root / "2014-15" / "eng.2.json"
    assert "HTML" in str(problem.problem)
    rejected = read_season(bucket, "2014-15", TODAY).rejected
    assert rejected["source_object"].to_list() == ["raw/results/2014-15/eng.2.json"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("2014-15/eng.1.json", "<html>404</html>", "HTML page"),
        ("2014-15/eng.1.json", "", "empty"),
        ("2014-15/eng.1.csv", "Div,Date\n", "lacks the column"),
        ("2014-15/premier.csv", RESULTS, "Rename it"),
        ("results/eng.1.csv", RESULTS, "put it into a folder named after the season, like 2015-16/"),
        ("2014-15/notes.md", "# Notes", r"no results in JSON or CSV\.$"),
        ("2014-15/eng.1.xlsx", b"PK\x03\x04xl/", "Excel workbook"),
        ("2014-15/E0.tsv", "Div\tDate\n", "split at tabs, is 'Div\tDate', which lacks"),
    ],
)
def test_nothing_to_land_is_an_error_that_says_what_to_do_in_one_line(
    bucket: Bucket, tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    file = write(tmp_path / name, content)
    with pytest.raises(LandingError, match=message) as error:
        land(bucket, [file])
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)
    assert list(bucket.list("raw/")) == []


def test_a_path_that_does_not_exist_or_is_empty_is_an_error(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="There is no file or folder"):
        land(bucket, [tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(LandingError, match="There are no files in"):
        land(bucket, [tmp_path / "empty"])


def test_nothing_is_written_if_one_path_does_not_exist(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "results" / "2014-15" / "eng.1.csv")
    with pytest.raises(LandingError):
        land(bucket, [tmp_path / "results", tmp_path / "nowhere"])
    assert list(bucket.list("raw/")) == []


def test_landing_again_writes_only_what_changed(bucket: Bucket, tmp_path: Path) -> None:
    root = tmp_path / "results"
    write(root / "2014-15" / "eng.1.csv")
    write(root / "2014-15" / "eng.2.csv")
    assert [item.is_changed for item in land(bucket, [root]).landed] == [True, True]
    before = list(bucket.list("raw/"))
    assert [item.is_changed for item in land(bucket, [root]).landed] == [False, False]
    assert list(bucket.list("raw/")) == before
    write(root / "2014-15" / "eng.2.csv", csv_of("Sat Aug 16 2014,Leeds,2-2,?,Hull"))
    changed = [item.object_name for item in land(bucket, [root]).landed if item.is_changed]
    assert changed == ["raw/results/2014-15/eng.2.csv"]


def test_an_unchanged_object_is_not_written_again_beside_a_changed_one(
    bucket: LocalBucket, tmp_path: Path
) -> None:
    roots = [tmp_path / name for name in ("one", "two")]
    for root in roots:
        write(root / "2014-15" / "eng.1.csv")
    land(bucket, roots)
    unchanged = bucket.root / "raw" / "two" / "2014-15" / "eng.1.csv"
    before = unchanged.stat().st_ino, unchanged.stat().st_mtime_ns
    write(roots[0] / "2014-15" / "eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,2-2,?,Hull"))
    assert [item.is_changed for item in land(bucket, roots).landed] == [True, False]
    assert (unchanged.stat().st_ino, unchanged.stat().st_mtime_ns) == before


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_order_in_which_folders_are_named_does_not_matter(
    bucket: Bucket, tmp_path: Path, order: tuple[str, str]
) -> None:
    write(tmp_path / "a" / "2014-15" / "eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,1-0,?,Hull"), age=5)
    write(tmp_path / "b" / "2014-15" / "eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,0-1,?,Hull"), age=3)
    for _ in range(2):
        land(bucket, [tmp_path / name for name in order])
        matches = read_season(bucket, "2014-15", TODAY).matches
        assert matches["source"].to_list() == ["a"]


def test_two_folders_of_one_name_do_not_overwrite_each_other(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "old" / "raw" / "2014-15" / "eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,1-0,?,Hull"))
    write(tmp_path / "new" / "raw" / "2014-15" / "en.1.csv", csv_of("Sat Aug 23 2014,Hull,0-1,?,Leeds"))
    write(tmp_path / "copy" / "raw" / "2014-15" / "en.1.csv", csv_of("Sat Aug 23 2014,Hull,0-1,?,Leeds"))
    result = land(bucket, [tmp_path / name / "raw" for name in ("old", "new", "copy")])
    assert result.objects == ["raw/raw/2014-15/eng.1.csv", *["raw/raw-2/2014-15/eng.1.csv"] * 2]
    assert read_season(bucket, "2014-15", TODAY).matches.height == 2


def test_two_folders_of_one_name_stand_side_by_side_whenever_they_land(
    bucket: Bucket, tmp_path: Path
) -> None:
    one = write(
        tmp_path / "one" / "data" / "2014-15" / "E0.csv",
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,16/08/14,Leeds,Hull,2,1\n",
    ).parents[1]
    two = write(
        tmp_path / "two" / "data" / "2014-15" / "eng.1.csv", csv_of("Sat Aug 23 2014,Hull,0-1,?,Derby")
    ).parents[1]
    assert land(bucket, [one]).objects == ["raw/data/2014-15/eng.1.csv"]
    assert land(bucket, [two]).objects == ["raw/data-2/2014-15/eng.1.csv"]
    assert read_season(bucket, "2014-15", TODAY).matches["home_team"].to_list() == [
        "Leeds United",
        "Hull City",
    ]

    write(two / "2014-15" / "eng.1.csv", csv_of("Sat Aug 23 2014,Hull,0-2,?,Derby"))
    for root, name in ((two, "raw/data-2"), (one, "raw/data")):
        assert land(bucket, [root]).objects == [f"{name}/2014-15/eng.1.csv"]
    assert read_season(bucket, "2014-15", TODAY).matches["away_goals"].to_list() == [1, 2]


def test_of_two_folders_of_one_name_the_first_to_land_has_the_score(bucket: Bucket, tmp_path: Path) -> None:
    rows = ("Sat Aug 16 2014,Leeds,1-0,?,Hull", "Sat Aug 23 2014,Hull,?,?,Leeds")
    write(tmp_path / "one" / "data" / "2014-15" / "eng.1.csv", csv_of(*rows))
    write(tmp_path / "two" / "data" / "2014-15" / "eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,5-5,?,Hull"))
    for name, source in (("one", "data"), ("two", "data-2")):
        assert land(bucket, [tmp_path / name / "data"]).objects == [f"raw/{source}/2014-15/eng.1.csv"]
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.select("home_goals", "source").rows() == [(1, "data"), (None, "data")]
    assert "The score 5-5 contradicts 1-0 in raw/data/2014-15/eng.1.csv" in read.rejected["reason"][0]


def test_a_folder_updates_its_objects_though_it_lost_matches_and_a_clone_if_it_holds_all(
    bucket: Bucket, tmp_path: Path
) -> None:
    day_one, day_two = ("Sat Aug 16 2014,Leeds,2-1,?,Hull", "Sat Aug 23 2014,Hull,?,?,Leeds")
    root = tmp_path / "monday" / "results"
    write(root / "2014-15" / "eng.1.csv", csv_of(day_one, day_two))
    land(bucket, [root])
    write(root / "2014-15" / "eng.1.csv", csv_of(day_one))
    (shrunk,) = land(bucket, [root]).landed
    assert (shrunk.object_name, shrunk.is_changed, shrunk.loss) == (
        "raw/results/2014-15/eng.1.csv",
        True,
        None,
    )
    assert read_season(bucket, "2014-15", TODAY).matches.height == 1

    clone = tmp_path / "tuesday" / "results"
    write(clone / "2014-15" / "eng.1.csv", csv_of(day_one, day_two))
    assert land(bucket, [clone]).objects == ["raw/results/2014-15/eng.1.csv"]
    assert [item.name for item in bucket.list("raw/")] == ["raw/results/2014-15/eng.1.csv"]
    assert read_season(bucket, "2014-15", TODAY).matches.height == 2


def test_an_unchanged_folder_does_not_replace_what_a_sync_has_landed_meanwhile(
    bucket: Bucket, tmp_path: Path
) -> None:
    rows = ("Sat Aug 16 2014,Leeds,2-1,?,Hull", "Sat Aug 23 2014,Hull,1-1,?,Leeds")
    file = write(tmp_path / "footballcsv" / "2014-15" / "eng.1.csv", csv_of(rows[0]))
    name, beside = (f"raw/{source}/2014-15/eng.1.csv" for source in ("footballcsv", "footballcsv-2"))
    assert land(bucket, [file]).objects == [name]
    bucket.write(name, csv_of(*rows).encode())
    for _ in range(2):
        assert land(bucket, [file]).objects == [beside]
        assert bucket.read(name) == csv_of(*rows).encode()


def test_a_broken_file_does_not_become_the_content_that_its_object_remembers(
    bucket: Bucket, tmp_path: Path
) -> None:
    root = tmp_path / "results"
    write(root / "2014-15" / "eng.2.csv")
    rows = ("Sat Aug 16 2014,Leeds,2-1,?,Hull", "Sat Aug 23 2014,Hull,1-1,?,Leeds")
    file = write(root / "2014-15" / "eng.1.csv", csv_of(*rows))
    land(bucket, [root])
    write(file, "<html>404</html>")
    assert len(land(bucket, [root]).problems) == 1
    write(file, csv_of(rows[0]))
    assert "raw/results/2014-15/eng.1.csv" in land(bucket, [root]).objects
    assert not any("results-2" in info.name for info in bucket.list("raw/"))


def test_a_file_lands_beside_an_object_that_cannot_be_read(bucket: LocalBucket, tmp_path: Path) -> None:
    folder = bucket.root / "raw" / "results" / "2014-15"
    folder.mkdir(parents=True)
    (folder / "eng.1.csv").symlink_to("eng.1.csv")
    (folder / "eng.2.csv").symlink_to("nowhere")
    for league in ("eng.1", "eng.2"):
        write(tmp_path / "results" / "2014-15" / f"{league}.csv")
    for is_changed in (True, False):
        landed = land(bucket, [tmp_path / "results"]).landed
        assert [(item.object_name, item.is_changed) for item in landed] == [
            (f"raw/results-2/2014-15/{league}.csv", is_changed) for league in ("eng.1", "eng.2")
        ]
    assert all((folder / f"{league}.csv").is_symlink() for league in ("eng.1", "eng.2"))


def test_a_changed_file_updates_its_object_in_either_kind_of_bucket(bucket_url: str, tmp_path: Path) -> None:
    bucket = open_bucket(bucket_url)
    rows = ("Sat Aug 16 2014,Leeds,2-1,?,Hull", "Sat Aug 23 2014,Hull,?,?,Leeds")
    for content in (rows, rows, rows[:1]):
        file = write(tmp_path / "results" / "2014-15" / "eng.1.csv", csv_of(*content))
        assert land(bucket, [file]).objects == ["raw/results/2014-15/eng.1.csv"]
        assert bucket.read("raw/results/2014-15/eng.1.csv") == csv_of(*content).encode()


class FullBucket(LocalBucket):
    """A bucket in which one object cannot be written, nor the record after it."""

    is_full = False

    def write(self, name: str, data: bytes, *, if_version: Any = None) -> ObjectInfo:
        self.is_full |= name.endswith("eng.2.csv")
        if self.is_full:
            raise BucketError(f"No space for {name}.")
        return super().write(name, data, if_version=if_version)


def test_the_first_error_of_a_landing_is_the_one_that_is_reported(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path / "results" / "2014-15" / f"eng.{number}.csv")
    with pytest.raises(BucketError, match=r"No space for raw/results/2014-15/eng\.2\.csv"):
        land(FullBucket(tmp_path / "full"), [tmp_path / "results"])


class SyncedBucket(LocalBucket):
    """A bucket in which a sync writes an object just before the landing does."""

    synced: bytes | None = None

    def write(self, name: str, data: bytes, *, if_version: Any = None) -> ObjectInfo:
        if self.synced is not None and name.startswith("raw/"):
            synced, self.synced = self.synced, None
            super().write(name, synced)
        return super().write(name, data, if_version=if_version)


@pytest.mark.parametrize("has_landed", [False, True])
def test_what_a_sync_lands_during_a_landing_is_not_overwritten_unseen(
    tmp_path: Path, has_landed: bool
) -> None:
    bucket = SyncedBucket(tmp_path / "synced")
    rows = ("Sat Aug 16 2014,Leeds,2-1,?,Hull", "Sat Aug 23 2014,Hull,1-1,?,Leeds")
    file = write(tmp_path / "footballcsv" / "2014-15" / "eng.1.csv")
    if has_landed:
        land(bucket, [file])
        write(file, csv_of("Sat Aug 16 2014,Leeds,2-2,?,Hull"))
    bucket.synced = csv_of(*rows).encode()
    with pytest.raises(
        PreconditionFailed, match=r"eng\.1\.csv' .* changed by another .*: land the files again"
    ):
        land(bucket, [file])
    assert bucket.read("raw/footballcsv/2014-15/eng.1.csv") == csv_of(*rows).encode()
    assert land(bucket, [file]).objects == ["raw/footballcsv-2/2014-15/eng.1.csv"]


def test_a_file_of_far_fewer_matches_replaces_its_object_with_a_warning(
    bucket: Bucket, tmp_path: Path
) -> None:
    rows = [f"Sat Aug 16 2014,Home {number},2-1,?,Away {number}" for number in range(8)]
    file = write(tmp_path / "results" / "2014-15" / "eng.1.csv", csv_of(*rows))
    assert [item.loss for item in land(bucket, [file]).landed] == [None]
    write(file, csv_of(*rows[:2]))
    result = land(bucket, [file])
    assert [item.loss for item in result.landed] == [("2 matches", "8")]
    assert read_season(bucket, "2014-15", TODAY).matches.height == 2
    assert [item.loss for item in land(bucket, [file]).landed] == [None]


def test_an_object_of_another_division_than_its_name_says_holds_no_match(bucket: Bucket) -> None:
    put(bucket, "fd/2014-15/eng.1.csv", WRONG_DIVISION)
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.is_empty()
    assert "The file is of SP1" in read.rejected["reason"][0]


def test_a_file_without_a_match_lands_with_its_reason_but_replaces_no_object(
    bucket: Bucket, tmp_path: Path
) -> None:
    root = tmp_path / "results"
    file = write(root / "2014-15" / "eng.1.csv", csv_of("2014-99-16,Leeds,2-1,?,Hull", "x,Hull,2-1,?,Leeds"))
    (found,) = land(bucket, [root]).landed
    assert (found.is_changed, found.summary.rejected) == (True, 2)
    assert found.problem == (
        "None of its 2 records is a match. The first is line 2: The date '2014-99-16' does not exist."
    )
    assert read_season(bucket, "2014-15", TODAY).rejected.height == 2

    write(file)
    assert land(bucket, [root]).is_complete
    write(file, "<html>404</html>")
    write(root / "2014-15" / "eng.2.csv", csv_of("Sat Aug 16 2014,Derby,2-1,?,Fulham"))
    broken, good = sorted(land(bucket, [root]).landed, key=lambda item: item.league_id)
    assert (broken.is_changed, good.is_changed) == (False, True)
    assert "HTML page" in str(broken.problem)
    assert str(broken.problem).endswith("The object raw/results/2014-15/eng.1.csv stays as it was.")
    assert read_season(bucket, "2014-15", TODAY).matches.height == 2


def test_landed_bytes_are_the_files_bytes(bucket: Bucket, tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + RESULTS.replace("\n", "\r\n").encode()
    file = write(tmp_path / "results" / "2014-15" / "eng.1.csv", data)
    (name,) = land(bucket, [file]).objects
    assert bucket.read(name) == data


def test_a_landing_reports_what_is_no_file_of_its_folder(bucket: Bucket, tmp_path: Path) -> None:
    root = tmp_path / "results"
    write(root / "2014-15" / "eng.1.csv")
    write(root / "2014-15" / ".hidden" / "eng.2.csv")
    os.mkfifo(root / "2014-15" / "eng.3.csv")
    (root / "2014-15" / "eng.4.csv").symlink_to("nowhere")
    (root / "2013-14").symlink_to(root / "2014-15")

    result = land(bucket, [root])

    assert result.objects == ["raw/results/2014-15/eng.1.csv"]
    assert {item.path.relative_to(root).as_posix(): item.reason for item in result.skipped} == {
        "2013-14": "It is a link to a folder, which is not followed: name that folder itself.",
        "2014-15/eng.3.csv": "It is not a regular file.",
        "2014-15/eng.4.csv": "The file cannot be opened: No such file or directory.",
    }
    for path in (root / "2014-15" / "eng.3.csv", Path("/dev/null")):
        with pytest.raises(LandingError, match="neither a regular file nor a folder"):
            land(bucket, [path])


def test_a_folder_whose_name_is_not_utf8_lands(bucket: Bucket, tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/K\xf6ln"))
    write(root / "2014-15" / "eng.1.csv")
    assert land(bucket, [root]).objects == ["raw/k-ln/2014-15/eng.1.csv"]
