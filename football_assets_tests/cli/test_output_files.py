"""Files that a command writes for its user."""

from pathlib import Path

import polars as pl
import pytest

from football_assets.cli.output_files import check_writable, write_json, write_output, write_parquet
from football_assets.errors import FootballError
from football_assets_tests.builders.command_states import FULL, run_on_small_disk


def test_a_file_of_figures_on_a_full_disk_is_left_as_it_was(disk: Path, results: Path) -> None:
    script = f"""
    echo old > "$DISK/figures.json" && dd if=/dev/zero of="$DISK/fill" bs=4k 2>/dev/null
    football clubs --raw {results} --json "$DISK/figures.json" --home {disk.parent}/home > /dev/null; echo "code $?"
    cat "$DISK/figures.json"; ls -A "$DISK"
    """

    shown = run_on_small_disk(script, disk, "300k")

    assert f"figures.json could not be written: {FULL}" in shown.stderr.decode()
    assert shown.stdout.decode().splitlines() == ["code 1", "old", "figures.json", "fill"]


def test_figures_are_written_as_indented_json(tmp_path: Path) -> None:
    write_json(tmp_path / "figures.json", {"matches": 2, "test": {"rps": 0.5}})
    write_json(None, {"matches": 2})

    text = (tmp_path / "figures.json").read_text()
    assert text == '{\n  "matches": 2,\n  "test": {\n    "rps": 0.5\n  }\n}\n'


def test_a_table_is_written_as_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"home_team": ["Köln"], "p_home": [0.25]})
    write_parquet(tmp_path / "rows.parquet", frame)

    assert pl.read_parquet(tmp_path / "rows.parquet").equals(frame)


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "figures.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)

    write_output(link, b"new")

    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["figures.json"]


def test_what_is_no_regular_file_is_written_to_directly(tmp_path: Path) -> None:
    write_output(Path("/dev/null"), b"new")

    assert Path("/dev/null").is_char_device()


def test_a_folder_that_does_not_exist_is_named_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(FootballError, match=r"rows\.parquet cannot be written: .*nowhere is not a folder"):
        check_writable(tmp_path / "nowhere" / "rows.parquet")
    check_writable(tmp_path / "rows.parquet")
    check_writable(None)
