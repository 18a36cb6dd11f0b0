"""`football backtest` and `compare`."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from football_assets.cli import main
from football_assets.sample import sample_folder
from football_assets_tests.builders.planted import planted_tensors, write_planted, write_tensors_of
from football_assets_tests.builders.priced import priced_tensors

COLUMNS = ["date", "league_id", "season", "home_team", "away_team", "home_goals", "away_goals"]
COLUMNS += ["p_home", "p_draw", "p_away", "xg_home", "xg_away"]


def test_a_backtest_that_could_not_be_written_is_refused_before_it_starts(
    refused: Callable[..., str], results: Path, tmp_path: Path
) -> None:
    out = tmp_path / "nowhere" / "rows.parquet"

    assert "cannot be written" in refused("backtest", "--raw", results, "--start", "2015-08-01", "--out", out)


def test_a_comparison_is_refused_before_it_starts_for_what_cannot_be_read_or_written(
    refused: Callable[..., str], results: Path, tmp_path: Path
) -> None:
    compare = ("compare", "--raw", results, "--start", "2015-08-01")

    assert "cannot be written" in refused(*compare, "--plot", tmp_path / "nowhere" / "plot.png")
    assert "odds.csv cannot be read" in refused(*compare, "--odds", tmp_path / "odds.csv")
    assert "spi.csv cannot be read" in refused(*compare, "--fivethirtyeight", tmp_path / "spi.csv")
    assert "no sequence_tensors" in refused("compare", "--tensors", tmp_path, "--start", "2015-08-01")


def test_a_rival_that_is_unknown_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--start", "2015-08-01", "--rivals", "tress"]) == 2

    assert "'tress' is none of elo, dixon_coles, " in capsys.readouterr().err


def test_a_backtest_forecasts_the_period_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, out, figures = tmp_path / "raw", tmp_path / "rows.parquet", tmp_path / "figures.json"
    for season in ("2013-14", "2014-15"):
        (raw / season).mkdir(parents=True)
        shutil.copy(sample_folder() / season / "eng.1.json", raw / season)
    period = ["--start", "2015-04-01", "--end", "2015-04-30"]

    code = main(["backtest", "--raw", str(raw), *period, "--out", str(out), "--json", str(figures)])

    assert code == 0, capsys.readouterr().err
    rows = pl.read_parquet(out)
    assert rows.columns == COLUMNS
    assert rows["date"].is_between(date(2015, 4, 1), date(2015, 4, 30)).all()
    assert (
        rows.select(pl.sum_horizontal("p_home", "p_draw", "p_away"))
        .to_series()
        .is_between(0.9999, 1.0001)
        .all()
    )
    assert "Manchester United" in rows["home_team"].to_list()
    written = json.loads(figures.read_text())
    assert written["test_matches"] == len(rows) > 30
    assert written["test"].keys() == {"log_loss", "rps", "brier", "accuracy", "ece"}


def test_forecasters_are_compared_on_the_tensors_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = write_planted(tmp_path / "tensors")
    out, figures, plot = (tmp_path / name for name in ("rows.parquet", "figures.json", "plot.png"))
    league, home, away = planted_tensors().keys.select("league_id", "home_team", "away_team").row(3 * 310)
    odds = tmp_path / "odds.csv"
    odds.write_text(
        "date,season,league,home,away,hg,ag,oh,od,oa\n"
        f"2015-06-07,2014-15,{league},{home},{away},,,2.0,3.6,3.8\n"
        "2015-06-08,2014-15,eng.1,Nobody,Nowhere,4,1,2.0,3.6,3.8\n"
    )
    spi = tmp_path / "spi_matches.csv"
    league = {"eng.1": "Barclays Premier League", "eng.2": "English League Championship"}[league]
    spi.write_text(
        f"date,league,team1,team2,prob1,prob2,probtie\n2015-06-07,{league},{home},{away},0.5,0.2,0.3\n"
    )
    period = ["--start", "2015-06-01", "--end", "2015-06-20"]
    written = ["--out", str(out), "--json", str(figures), "--plot", str(plot)]

    others = ["--odds", str(odds), "--fivethirtyeight", str(spi), "--rivals", "trees", "--rivals", "elo"]

    code = main(["compare", "--tensors", str(tensors), *period, *others, *written])

    shown = capsys.readouterr()
    assert code == 0, shown.err
    rows, found = pl.read_parquet(out), json.loads(figures.read_text())
    blocks = {block["block"]: block for block in found["blocks"]}
    assert blocks["all matches"]["matches"] == found["test_matches"] == len(rows) == 60
    assert blocks["with odds"]["matches"] == 1 == rows["bookmaker_p_home"].count()
    assert "1 of 2 rows of odds found their match; 1 without a match: 2015-06-08 eng.1 Nobody" in shown.out
    assert "FiveThirtyEight: 1 of 1 rows" in shown.out
    forecasters = list(blocks["matches of FiveThirtyEight with odds"]["forecasters"])
    models = ["class prior", "Elo, logistic", "boosted trees", "LSTM"]
    assert forecasters == [*models, "FiveThirtyEight", "bookmaker, odds.csv"]
    assert any(note.startswith("FiveThirtyEight: 1 of 1 rows") for note in found["notes"])
    assert "all matches, tier 1: 30 matches" in shown.out
    assert "…" not in shown.out  # the tables fit
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_retraining_every_season_is_reported_beside_the_first_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = write_planted(tmp_path / "tensors")
    out, figures = tmp_path / "rows.parquet", tmp_path / "figures.json"
    period = ["--start", "2015-06-01", "--end", "2015-07-20", "--retrain", "season"]

    code = main(["backtest", "--tensors", str(tensors), *period, "--out", str(out), "--json", str(figures)])

    shown = capsys.readouterr()
    assert code == 0, shown.err
    rows, found = pl.read_parquet(out), json.loads(figures.read_text())
    assert rows.columns[: len(COLUMNS)] == COLUMNS
    assert {"trained_before", "frozen_p_home", "frozen_xg_away"} <= set(rows.columns)
    assert [season["season"] for season in found["seasons"]] == ["2014-15", "2015-16", "all"]
    assert "Training 2 of 2, on results before 2015-07-01" in shown.err
    assert "These matches have no odds" in shown.out


def test_a_backtest_shows_the_tiers_of_input_and_hides_what_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tensors"
    folder.mkdir()
    write_tensors_of(priced_tensors(matches=3000), folder)
    figures = tmp_path / "figures.json"
    losses = {}

    for name, options in {"shown": [], "no odds": ["--hide", "odds"], "own": ["--match-odds"]}.items():
        out = ["--out", str(tmp_path / f"{name}.parquet"), "--json", str(figures)]
        code = main(["backtest", "--tensors", str(folder), "--start", "2016-11-01", *options, *out])
        shown = capsys.readouterr()
        assert code == 0, shown.err
        assert "results + shots + past odds + odds of the match" in shown.out
        found = json.loads(figures.read_text())
        losses[name] = found["test"]["log_loss"]
        tiers = {row["tier"]: row["log_loss"] for row in found["tiers"]}

    assert losses["shown"] == tiers["results+shots+odds"]
    assert losses["no odds"] == tiers["results+shots"]
    assert losses["own"] < losses["shown"]


@pytest.mark.parametrize("option", [["--hide", "odds"], ["--match-odds"]])
def test_hidden_inputs_are_refused_with_retraining(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--raw", str(tmp_path), "--start", "2015-08-01", "--out", str(tmp_path / "rows.parquet")]

    assert main(["backtest", *given, "--retrain", "season", *option]) == 2
    assert "require --retrain never" in capsys.readouterr().err
