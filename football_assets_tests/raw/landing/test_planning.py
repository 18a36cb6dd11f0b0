"""Which objects files become, before anything is written."""

import gzip
import os
from pathlib import Path

import pytest

from football_assets.errors import LandingError
from football_assets.raw.landing import inventory, land
from football_assets.raw.landing.planning import SkippedFile, plan_landing
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, read_season
from football_assets_tests.builders.wide_files import Played, rows_of, scores_csv, wide_csv

RESULTS = csv_of("Sat Aug 16 2014,Leeds,2-1,?,Hull")
WRONG_DIVISION = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nSP1,16/08/14,Almeria,Vallecano,0,2\n"
EXTRA = "Country,League,Season,Date,Time,Home,Away,HG,AG,Res,AvgCH,AvgCD,AvgCA"
DENMARK = (
    "Denmark,Superliga,2012/2013,14/07/2012,18:00,Brondby,Aarhus,2,1,H,1.9,3.1,4.1",
    "Denmark,Superliga,2013/2014,20/07/2013,15:00,Aarhus,Brondby,0,1,A,2.9,3.1,2.4",
    "Denmark,Superliga,2013/2014,21/07/2013,15:00,Aarhus,Aarhus,0,1,A,2.9,3.1,2.4",
)
FIRST = Played("Alpha", "Beta", "2020-01-04 15:00:00", "2-1")


def write(path: Path, content: str | bytes = RESULTS, *, age: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (1_400_000_000 - age, 1_400_000_000 - age))
    return path


def test_the_files_of_the_competition_become_files_of_the_source_kaggle(tmp_path: Path) -> None:
    rows = rows_of([FIRST], [FIRST])
    train = write(tmp_path / "Downloads" / "train.csv", wide_csv(rows))
    lone = write(tmp_path / "other" / "scores.csv", scores_csv(rows, {"1": "2-1"}))
    (plan,), skipped = plan_landing([tmp_path / "Downloads", tmp_path / "other"])
    assert (plan.path, plan.source, plan.season, plan.league_id) == (train, "kaggle", "2019-20", "eng.1")
    assert (plan.extension, plan.problem, plan.lines) == ("csv", None, None)
    assert b"Alpha" in plan.data
    reason = "The scores have no teams and dates without train.csv: move both into one folder and land that."
    assert skipped == [SkippedFile(lone, reason, is_wrong=False)]


def test_the_season_is_that_of_the_nearest_folder_below_the_one_that_was_given(tmp_path: Path) -> None:
    root = tmp_path / "2010-11" / "results"
    deep = write(root / "2014-15" / "deep" / "er" / "eng.1.csv")
    without = write(root / "deep" / "eng.2.csv")
    (plan,), skipped = plan_landing([root])
    assert (plan.path, plan.source, plan.season, plan.league_id) == (deep, "results", "2014-15", "eng.1")
    assert plan.candidate == (RESULTS.encode(), "csv", "2014-15", "eng.1")
    reason = "Its season is not known: put it into a folder named after the season, like 2015-16/ or 2015/."
    assert skipped == [SkippedFile(without, reason)]


@pytest.mark.parametrize("name", ["E0.csv.gz", "eng.1.csv.gz", "E0.csv", "E0.gz"])
def test_a_compressed_file_of_a_league_is_skipped_or_rejected_as_compressed(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path / "a" / "2014-15" / name, gzip.compress(RESULTS.encode()))
    plans, skipped = plan_landing([tmp_path])
    (reason,) = [plan.problem for plan in plans] + [one.reason for one in skipped]
    assert reason is not None
    assert "compressed by gzip: unpack it" in reason


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("results.csv.gz", gzip.compress(RESULTS.encode()), "compressed by gzip: unpack it"),
        ("data.zip", b"PK\x03\x04", "a ZIP archive"),
        ("all-euro-data.xlsx", b"PK\x03\x04xl/", "an Excel workbook"),
        ("all-euro-data.xls", b"\xd0\xcf\x11\xe0", "an Excel workbook: save the sheet as CSV"),
        ("my table.ods", b"PK\x03\x04mimetype", "an OpenDocument one"),
        ("data.rar", b"Rar!\x1a\x07\x01\x00", "a RAR archive: unpack it"),
        (
            "results.csv",
            "date,home_team,away_team,home_score\n",
            "line 1, split at commas, is 'date,home_team,",
        ),
        ("fixtures.json", '{"response": []}', "neither 'matches' nor 'rounds'"),
    ],
)
def test_a_file_that_was_intended_as_results_is_skipped_with_what_it_is_whatever_its_name(
    tmp_path: Path, name: str, data: bytes | str, reason: str
) -> None:
    write(tmp_path / "2014-15" / name, data)
    plans, (skipped,) = plan_landing([tmp_path])
    assert plans == []
    assert reason in skipped.reason


def test_a_file_of_no_season_and_without_results_has_both_reasons(tmp_path: Path) -> None:
    write(tmp_path / "eng.1.csv", "date,home_team,away_team,home_score\n")
    _, (skipped,) = plan_landing([tmp_path])
    assert "put it into a folder named after the season" in skipped.reason
    assert "The file has no header of results" in skipped.reason


def test_where_nothing_lands_the_reason_is_that_of_a_file_of_results(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "2014-15" / "LICENSE", "words", age=9)
    write(tmp_path / "2014-15" / "E0.xlsx", b"PK\x03\x04xl/")
    with pytest.raises(
        LandingError, match=r"Nothing to land\. .*E0\.xlsx: .*Excel workbook.* \(1 more files"
    ):
        land(bucket, [tmp_path])


def test_a_json_without_a_season_folder_has_the_season_of_its_name(tmp_path: Path) -> None:
    file = write(tmp_path / "My Files" / "en.1.json", json_of(name="English Premier League 2015/16"))
    (plan,), skipped = plan_landing([file])
    assert (plan.source, plan.season, plan.league_id, plan.extension) == (
        "my-files",
        "2015-16",
        "eng.1",
        "json",
    )
    assert skipped == []


def test_a_folder_lands_by_season_and_league(bucket: Bucket, tmp_path: Path) -> None:
    root = tmp_path / "My Results"
    write(root / "2014-15" / "en.1.csv")
    write(root / "2014-15" / "eng.2.json", json_of(listed("2014-08-16", "Leeds", "Hull")))
    write(root / "deep" / "2014" / "se.1.csv")
    result = land(bucket, [root])
    expected = [
        "raw/deep/2014/se.1.csv",
        "raw/my-results/2014-15/eng.1.csv",
        "raw/my-results/2014-15/eng.2.json",
    ]
    assert sorted(result.objects) == expected
    assert [item.name for item in bucket.list("raw/")] == expected
    assert result.seasons == ["2014", "2014-15"]
    assert inventory(bucket).seasons == ["2014", "2014-15"]
    assert result.skipped == ()
    assert result.problems == []


def test_a_linked_file_is_of_the_season_that_holds_the_link(bucket: Bucket, tmp_path: Path) -> None:
    target = write(tmp_path / "blobs" / "2009-10" / "content")
    link = tmp_path / "results" / "2014-15" / "eng.1.csv"
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    for path in (tmp_path / "results", link):
        assert land(bucket, [path]).objects == ["raw/results/2014-15/eng.1.csv"]
    link.unlink()
    link.symlink_to(write(tmp_path / "blobs" / "2008-09" / "content", csv_of("2014-08-23,Hull,1-1,?,Leeds")))
    assert land(bucket, [link]).objects == ["raw/results/2014-15/eng.1.csv"]


def test_a_season_folder_or_a_file_lands_at_the_same_place(bucket: Bucket, tmp_path: Path) -> None:
    file = write(tmp_path / "results" / "2014-15" / "eng.1.csv")
    for path in (tmp_path / "results", file.parent, file, str(file)):
        assert land(bucket, [path]).objects == ["raw/results/2014-15/eng.1.csv"]


def test_the_season_of_a_json_outside_a_season_folder_is_in_its_name(bucket: Bucket, tmp_path: Path) -> None:
    file = write(tmp_path / "downloads" / "en.1.json", json_of(name="English Premier League 2015/16"))
    assert land(bucket, [file]).objects == ["raw/downloads/2015-16/eng.1.json"]


def test_the_content_decides_the_format(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "results" / "2014-15" / "eng.1.txt")
    write(tmp_path / "results" / "2014-15" / "eng.2.csv", json_of())
    assert land(bucket, [tmp_path / "results"]).objects == [
        "raw/results/2014-15/eng.1.csv",
        "raw/results/2014-15/eng.2.json",
    ]


def test_a_file_named_after_a_division_of_football_data_lands_as_its_league(
    bucket: Bucket, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "football_data" / "2014-15" / "SC0.csv",
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nSC0,16/08/14,Celtic,Dundee,2,1\n",
    )
    assert land(bucket, [file]).objects == ["raw/football_data/2014-15/sco.1.csv"]
    (match,) = read_season(bucket, "2014-15", TODAY).matches.iter_rows(named=True)
    assert (match["league_id"], match["home_team"], match["home_goals"]) == ("sco.1", "Celtic", 2)


def test_files_without_results_are_skipped_with_a_reason_and_hidden_folders_are_not_entered(
    bucket: Bucket, tmp_path: Path
) -> None:
    root = tmp_path / "results"
    write(root / "2014-15" / "eng.1.csv")
    reasons = {
        write(root / "README.md", "# Results"): "no results",
        write(root / "2014-15" / "at.1.clubs.json", '{"clubs": []}'): "clubs",
        write(root / "2014-15" / "fixtures.csv", "Div,Date\n"): "Rename it",
        write(root / "eng.1.csv"): "put it into a folder named after the season",
        write(root / "other" / "eng.1.json", json_of(name="Premier League")): "put it into a folder",
    }
    write(root / ".git" / "2014-15" / "eng.2.csv")
    result = land(bucket, [root])
    assert result.objects == ["raw/results/2014-15/eng.1.csv"]
    assert {item.path for item in result.skipped} == set(reasons)
    for item in result.skipped:
        assert reasons[item.path] in item.reason


def test_a_file_of_another_division_than_its_name_says_does_not_land(bucket: Bucket, tmp_path: Path) -> None:
    file = write(tmp_path / "fd" / "2014-15" / "E0.csv", WRONG_DIVISION)
    with pytest.raises(LandingError, match=r"E0\.csv: The file is of SP1 \(La Liga, es\.1\)"):
        land(bucket, [file])
    write(tmp_path / "fd" / "2014-15" / "eng.2.csv")
    result = land(bucket, [tmp_path / "fd"])
    assert result.objects == ["raw/fd/2014-15/eng.2.csv"]
    assert [(item.path, item.is_wrong) for item in result.skipped] == [(file, True)]
    assert not result.is_complete


@pytest.mark.parametrize("name", ["DNK.csv", "dk.1.csv", "2013-14/dk.1.csv", "superliga.txt"])
def test_a_file_of_all_seasons_of_an_extra_league_becomes_an_object_a_season(
    bucket: Bucket, tmp_path: Path, name: str
) -> None:
    write(tmp_path / "extra" / name, csv_of(*DENMARK, header=EXTRA))
    result = land(bucket, [tmp_path / "extra"])
    assert result.objects == ["raw/extra/2012-13/dk.1.csv", "raw/extra/2013-14/dk.1.csv"]
    assert [item.summary.results for item in result.landed] == [1, 1]
    assert result.landed[1].summary.first_reason == "line 4: Aarhus cannot play itself."
    (match,) = read_season(bucket, "2013-14", TODAY).matches.iter_rows(named=True)
    assert (match["league_id"], match["home_goals"], match["away_goals"], match["odds_away"]) == (
        "dk.1",
        0,
        1,
        2.4,
    )
    assert not any(item.is_changed for item in land(bucket, [tmp_path / "extra"]).landed)


def test_an_extra_league_under_another_leagues_name_does_not_land(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="of Denmark, Superliga"):
        land(bucket, [write(tmp_path / "extra" / "2013" / "ar.1.csv", csv_of(*DENMARK, header=EXTRA))])


def test_fixtures_of_many_divisions_become_an_object_a_league(bucket: Bucket, tmp_path: Path) -> None:
    write(
        tmp_path / "fd" / "fixtures.csv",
        csv_of(
            "E0,23/08/2014,15:00,Leeds,Hull,,8,5.5,1.33",
            "SP1,23/08/2014,20:00,Sevilla,Valencia,,2,3,4",
            header="Div,Date,Time,HomeTeam,AwayTeam,Referee,B365H,B365D,B365A",
        ),
    )
    write(
        tmp_path / "fd" / "new_league_fixtures.csv",
        csv_of(
            "Sweden,Allsvenskan,24/08/2014,14:00,AIK,Kalmar,2.1,3.4,3.3",
            header="Country,League,Date,Time,Home,Away,PSH,PSD,PSA",
        ),
    )
    result = land(bucket, [tmp_path / "fd"])
    assert sorted(result.objects) == [
        "raw/fd/2014-15/eng.1.csv",
        "raw/fd/2014-15/es.1.csv",
        "raw/fd/2014/se.1.csv",
    ]
    assert all((item.summary.fixtures, item.summary.rejected) == (1, 0) for item in result.landed)
    matches = read_season(bucket, "2014-15", TODAY).matches
    assert matches["odds_home"].to_list() == [8.0, 2.0]


def test_a_file_that_is_named_after_no_league_is_of_the_division_of_its_rows(
    bucket: Bucket, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "fd" / "2014-15" / "season-1415.csv",
        csv_of("E0,16/08/14,Leeds,Hull,2,1", header="Div,Date,HomeTeam,AwayTeam,FTHG,FTAG"),
    )
    assert land(bucket, [file]).objects == ["raw/fd/2014-15/eng.1.csv"]


@pytest.mark.parametrize(
    "text",
    [
        "= English Premier League 2014/15\n\n» Matchday 1\n  Sat Aug 16\n    15.00  Leeds  v Hull  2-1 (1-0)\n",
        "[Sat Aug 16]\n  Leeds  2-1 (1-0)  Hull\n\n[Sun Aug 17]\n  Derby  0-0  Bury\n",
    ],
)
def test_football_txt_says_what_it_is_and_what_to_do(bucket: Bucket, tmp_path: Path, text: str) -> None:
    with pytest.raises(
        LandingError, match=r"Football\.TXT format, which is not read: land the same results as JSON"
    ):
        land(bucket, [write(tmp_path / "2014-15" / "eng.1.txt", text)])
