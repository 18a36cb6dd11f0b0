"""`football challenge`, from the files of the organisers to a submission."""

import csv
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from football_assets.cli import main

TEAMS = [f"Team {letter}" for letter in "ABCDEFGHIJ"]
FIRST_DAY = date(2021, 4, 14)
HEADER = "ID,Lge,Sea,Date,HT,AT"
PREDICTIONS = ["prd_HS", "prd_AS", "prd_W", "prd_D", "prd_L"]
# ID, league, season, day, teams, as organisers write them: in no order, and Morocco as a spreadsheet has it.
TEST = [
    ("12", "44986", "20-21", "16/04/2021", "Team A", "Team B"),
    ("3", "ENG1", "20-21", "2021-04-14", "Team C", "Team A"),
    ("7", "ENG1", "20-21", "15/04/2021", "Team A", "Unheard Of"),
    ("1", "MAR1", "20-21", "14/04/2021", "Team B", "Team C"),
]


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """Results of two leagues, where earlier letters are stronger teams; the last are of the days of the test."""
    generator = np.random.default_rng(3)
    lines = ["Sea,Lge,Date,HT,AT,HS,AS,GD,WDL"]
    for year in (2018, 2019, 2020):
        day = date(year, 8, 10)
        for home in TEAMS:
            for away in TEAMS:
                if home != away:
                    edge = 0.12 * (TEAMS.index(away) - TEAMS.index(home))
                    goals = generator.poisson([1.5 * np.exp(edge), 1.1 * np.exp(-edge)], (2, 2))
                    for league, (scored, conceded) in zip(("ENG1", "MAR1"), goals, strict=True):
                        result = (
                            f"{scored},{conceded},{scored - conceded},{'LDW'[1 + np.sign(scored - conceded)]}"
                        )
                        lines.append(f"{year % 100}-{year % 100 + 1},{league},{day},{home},{away},{result}")
                    day += timedelta(days=3)
    path = tmp_path / "training.csv"
    path.write_text("\n".join(lines))
    return path


def written(folder: Path, name: str, results: list[str]) -> Path:
    path = folder / name
    rows = [",".join([*row, result]) for row, result in zip(TEST, results, strict=True)]
    path.write_text("\n".join([f"{HEADER},HS,AS", *rows]))
    return path


def test_a_submission_has_the_rows_of_the_test_and_knows_none_of_its_results(
    training: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, again, figures = tmp_path / "out.csv", tmp_path / "again.csv", tmp_path / "figures.json"
    unknown = written(tmp_path, "unknown.csv", ["-1,-1", ",", "-1,-1", "-1,-1"])
    known = written(tmp_path, "known.csv", ["9,0", "0,9", "-1,-1", "3,3"])

    assert main(["challenge", str(training), str(unknown), "--out", str(out), "--whole-goals"]) == 0
    shown = capsys.readouterr().out
    assert "4 forecasts from 526 results before 2021-04-14" in shown
    assert "Unheard Of (eng.1)" in shown
    assert "RPS" not in shown

    assert main(["challenge", str(training), str(known), "--out", str(again), "--json", str(figures)]) == 0
    assert "Scores of 3 matches with a result" in capsys.readouterr().out

    whole, decimal = (list(csv.DictReader(path.open())) for path in (out, again))
    assert list(whole[0]) == [*HEADER.split(","), *PREDICTIONS]
    for rows in (whole, decimal):
        assert [tuple(row[name] for name in HEADER.split(",")) for row in rows] == TEST
    for row, other in zip(whole, decimal, strict=True):
        assert [row[name] for name in PREDICTIONS[2:]] == [other[name] for name in PREDICTIONS[2:]]
        assert [row[name] for name in PREDICTIONS[:2]] == [
            str(int(float(other[name]) + 0.5)) for name in PREDICTIONS[:2]
        ]
        assert sum(float(row[name]) for name in PREDICTIONS[2:]) == pytest.approx(1, abs=3e-6)
    found = json.loads(figures.read_text())
    assert found["newcomers"] == ["Unheard Of (eng.1)"]
    assert (found["training_matches"], found["results_from_the_first_day_on"]) == (526, 14)
    happened = {"12": ([1, 0, 0], (9, 0)), "3": ([0, 0, 1], (0, 9)), "1": ([0, 1, 0], (3, 3))}
    errors, squares = [], []
    for row in decimal:
        if row["ID"] in happened:
            outcome, goals = happened[row["ID"]]
            apart = np.cumsum([float(row[name]) for name in PREDICTIONS[2:]]) - np.cumsum(outcome)
            errors.append((apart[0] ** 2 + apart[1] ** 2) / 2)
            squares.append(
                sum(
                    (float(row[name]) - scored) ** 2
                    for name, scored in zip(PREDICTIONS[:2], goals, strict=True)
                )
            )
    assert found["scores"]["rps"] == pytest.approx(np.mean(errors), abs=1e-5)
    assert found["scores"]["rmse"] == pytest.approx(np.sqrt(np.mean(squares)), abs=1e-5)


def test_files_that_cannot_be_read_or_written_are_told_before_anything_is_computed(
    refused: Callable[..., str], training: Path, tmp_path: Path
) -> None:
    good = written(tmp_path, "test.csv", [","] * 4)
    bad = tmp_path / "bad.csv"
    bad.write_text(
        f"{HEADER}\n1,ENG1,20-21,2021-04-14,Team A,Team B\n2,ENG7,20-21,2021-04-14,Team C,Team D\n"
    )
    out = tmp_path / "out.csv"

    assert "bad.csv, line 3: 'ENG7' is not a league" in refused("challenge", training, bad, "--out", out)
    assert "No result of the training file is before 2021-04-14" in refused(
        "challenge", good, good, "--out", out
    )
    assert "cannot be written" in refused("challenge", training, bad, "--out", tmp_path / "no" / "out.csv")
    early = tmp_path / "early.csv"
    early.write_text(f"{HEADER}\n1,ENG1,18-19,2018-08-01,Team A,Team B\n")
    assert "No result of the training file is before 2018-08-01" in refused(
        "challenge", training, early, "--out", out
    )
    assert not out.exists()
