"""The command line: exit codes, one-line refusals, and what each command does."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from football_assets.cli import BACKTEST_COLUMNS, main
from football_assets.registry.store import Registry
from football_assets.runtime.home import project_root
from football_assets.runtime.serve_discovery import claimed
from football_assets.sample import sample_folder
from football_assets.settings import Settings
from football_assets.storage.bucket import open_bucket
from football_assets_tests.builders.planted import planted_tensors, write_planted

RESULTS = """Date,Team 1,FT,HT,Team 2
Sat Aug 8 2015,Arsenal,0-2,0-1,West Ham
Sat Aug 8 2015,Chelsea,2-2,2-1,Swansea
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    return tmp_path / "home"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "2015-16"
    folder.mkdir(parents=True)
    (folder / "eng.1.csv").write_text(RESULTS)
    return tmp_path / "results"


@pytest.fixture
def registry(home: Path, tmp_path: Path) -> Registry:
    """Two versions, the second in production."""
    registry = Registry(open_bucket(str(home / "bucket")))
    for number in (1, 2):
        bundle = tmp_path / f"bundle{number}"
        bundle.mkdir()
        (bundle / "model_card.md").write_text(f"# Forecaster number {number}\n")
        registry.promote(registry.publish(bundle, {}))
    return registry


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that is refused: exit code 1 and one line on standard error, which is returned."""

    def run(*arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("football: ")
        assert shown.err.count("\n") == 1
        return shown.err

    return run


def test_help_answers_without_loading_anything_large(tmp_path: Path) -> None:
    code = (
        "import sys; from football_assets.cli import main; code = main(['--help']);"
        "print(code, *(name for name in ('dagster', 'polars', 'pydantic', 'rich', 'torch') if name in sys.modules))"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    *text, last = shown.stdout.splitlines()
    assert last == "0"
    for command in (
        "demo",
        "land",
        "materialize",
        "backtest",
        "compare",
        "predict",
        "clubs",
        "models",
        "up",
        "serve",
    ):
        assert any(line.split()[:1] == [command] for line in text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["land"],
        ["predict", "eng.1", "Arsenal"],
        ["predict", "eng.1", "Arsenal", "Chelsea", "--date", "2015-02-30"],
        ["backtest", "--raw", ".", "--start", "2015-08-01"],
        ["backtest", "--raw", ".", "--out", "x.parquet", "--start", "2015-08-01", "--end", "2015-07-01"],
        ["backtest", "--start", "2015-08-01", "--out", "x.parquet"],
        ["backtest", "--raw", ".", "--start", "2015-08-01", "--out", "x.parquet", "--plot", "x.png"],
        ["compare", "--start", "2015-08-01"],
        ["compare", "--raw", ".", "--tensors", ".", "--start", "2015-08-01"],
        ["compare", "--raw", ".", "--start", "2015-08-01", "--end", "2015-07-01"],
        ["up", "--port", "70000"],
        ["models", "destroy"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "0"],
        ["serve", "--replicas", "0"],
        ["serve", "--replicas", "many"],
        ["serve", "production"],
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_hint(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "--help" in capsys.readouterr().err


def test_the_console_script_turns_a_refusal_into_the_exit_code_of_the_process(home: Path) -> None:
    command = [sys.executable, "-m", "football_assets.cli", "models", "list"]

    shown = subprocess.run(command, cwd=project_root(), capture_output=True, text=True)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert (
        shown.stderr
        == f"football: No model version is registered in {home}/bucket: run `football materialize`.\n"
    )


def test_landing_copies_results_and_says_what_each_file_holds(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = results / "2015-16" / "eng.1.csv"
    for changed in (1, 0):
        assert main(["land", str(results)]) == 0
        assert capsys.readouterr().out == (
            f"{file} (eng.1 2015-16): 2 results, 0 fixtures, 0 rejected\n"
            f"1 file landed, {changed} of them new or changed, season 2015-16: 2 results, 0 fixtures, "
            "0 rejected records.\n"
        )
    assert (home / "bucket/raw/results/2015-16/eng.1.csv").read_text() == RESULTS


def test_landing_names_the_files_it_skips_and_ends_with_1_if_one_holds_no_match(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "2015-16" / "notes.md").write_text("Arsenal lost")
    assert main(["land", str(results)]) == 0
    assert "notes.md: The file holds no results" in capsys.readouterr().err

    (results / "2015-16" / "de.1.json").write_text("<html>404</html>")
    (results / "2015-16" / "de.2.csv").write_text("Date,Team 1,FT,HT,Team 2\nnever,Aue,1-0,?,Fürth\n")
    assert main(["land", str(results)]) == 1
    shown = capsys.readouterr()
    assert "de.1.json: The file is an HTML page" in shown.err
    assert "de.2.csv: Its only record is no match, line 2: The date 'never'" in shown.err
    assert (
        "de.2.csv (de.2 2015-16): 0 results, 0 fixtures, 1 rejected. The first, line 2: The date" in shown.out
    )
    assert (home / "bucket/raw/results/2015-16/eng.1.csv").read_text() == RESULTS


def test_a_file_of_another_division_than_its_name_says_ends_landing_with_1(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = results / "2015-16" / "E1.csv"
    wrong.write_text("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nSP1,15/08/2015,Almeria,Vallecano,0,2\n")
    assert main(["land", str(results)]) == 1
    assert f"skipped {wrong}: The file is of SP1" in capsys.readouterr().err
    assert [path.name for path in (home / "bucket/raw").rglob("*.csv")] == ["eng.1.csv"]
    assert main(["land", str(wrong)]) == 1
    assert "Nothing to land" in capsys.readouterr().err


def test_home_is_accepted_before_and_after_the_command(results: Path, tmp_path: Path) -> None:
    assert main(["--home", str(tmp_path / "before"), "land", str(results)]) == 0
    assert main(["land", str(results), "--home", str(tmp_path / "after")]) == 0

    for name in ("before", "after"):
        assert (tmp_path / name / "bucket/raw/results/2015-16/eng.1.csv").is_file()


def test_a_path_that_does_not_exist_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "no file or folder" in refused("land", tmp_path / "nowhere")


def test_a_home_that_cannot_be_used_is_refused(refused: Callable[..., str], results: Path) -> None:
    assert "cannot be used" in refused("land", results, "--home", results / "2015-16" / "eng.1.csv" / "home")


def test_a_setting_that_is_no_number_is_refused(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_PORT", "many")

    assert "FOOTBALL_PORT=many is not usable" in refused("models")


def test_an_endpoint_on_a_port_that_is_taken_is_refused(refused: Callable[..., str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert f"127.0.0.1:{port} cannot be listened on" in refused("serve", "--port", port)


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_second_server_on_a_home_is_refused_with_the_address_of_the_first(
    refused: Callable[..., str], home: Path, command: str
) -> None:
    with claimed(Settings(home=home), "football up", "http://127.0.0.1:3000"):
        shown = refused(command)
    assert f"`football up` already runs on home {home}, on http://127.0.0.1:3000" in shown


def test_a_key_that_is_too_short_is_refused_without_showing_it(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_API_KEY", "secret")

    shown = refused("serve")

    assert "FOOTBALL_API_KEY" in shown
    assert "secret" not in shown


def test_a_forecast_without_a_model_is_refused(refused: Callable[..., str]) -> None:
    assert "materialise" in refused("predict", "eng.1", "Arsenal", "Chelsea")


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
    assert "no sequence_tensors" in refused("compare", "--tensors", tmp_path, "--start", "2015-08-01")


def test_assets_without_results_are_refused(refused: Callable[..., str]) -> None:
    assert "land results first" in refused("materialize")


def test_versions_are_listed_with_their_aliases(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert any("1" in line and "previous" in line for line in lines)
    assert any("2" in line and "production" in line for line in lines)


def test_a_model_card_is_shown_by_number_and_by_alias(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    for version, number in (("1", 1), ("production", 2), ("previous", 1)):
        assert main(["models", "show", version]) == 0
        assert f"Forecaster number {number}" in capsys.readouterr().out


def test_rollback_and_promotion_move_production(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "rollback"]) == 0
    assert "production: version 1" in capsys.readouterr().out
    assert registry.aliases()["production"] == 1

    assert main(["models", "promote", "2"]) == 0
    assert registry.aliases() == {"production": 2, "previous": 1}


def test_a_version_that_does_not_exist_is_refused(refused: Callable[..., str], registry: Registry) -> None:
    assert "99" in refused("models", "promote", "99")
    assert "candidate" in refused("models", "show", "candidate")
    assert registry.aliases()["production"] == 2


def test_a_season_is_materialised_on_its_own(
    results: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = results / "2014-15"
    earlier.mkdir()
    (earlier / "eng.1.csv").write_text(RESULTS.replace("2015", "2014"))
    assert main(["land", str(results)]) == 0

    assert main(["materialize", "--select", "raw_matches", "--season", "2014-15"]) == 0

    tables = home / "bucket" / "tables"
    assert [file.name for file in sorted((tables / "raw_matches").iterdir())] == ["2014-15.parquet"]
    assert pl.read_parquet(tables / "raw_matches" / "2014-15.parquet")["home_team"].to_list() == [
        "Arsenal",
        "Chelsea",
    ]
    assert "raw_matches" in capsys.readouterr().err


def test_seasons_assets_and_configurations_that_do_not_exist_are_refused(
    results: Path, tmp_path: Path, refused: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["land", str(results)]) == 0
    capsys.readouterr()
    knobs = tmp_path / "knobs.yaml"
    knobs.write_text("ops: {trained_lstm: {config: {epochz: 1}}}")

    assert "No results of 1901-02 have landed. Seasons: 2015-16." in refused(
        "materialize", "--season", "1901-02"
    )
    assert "The assets are: backtest, drift_report, fixture_predictions" in refused(
        "materialize", "--select", "trained_lstn"
    )
    assert "epochz" in refused("materialize", "--select", "trained_lstm", "--config", knobs)
    knobs.write_text("just words")
    assert "no run configuration" in refused("materialize", "--config", knobs)
    knobs.write_text("ops: [")
    assert "is no YAML" in refused("materialize", "--config", knobs)


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
    assert rows.columns == BACKTEST_COLUMNS
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
    period = ["--start", "2015-06-01", "--end", "2015-06-20"]
    written = ["--out", str(out), "--json", str(figures), "--plot", str(plot)]

    code = main(["compare", "--tensors", str(tensors), *period, "--odds", str(odds), *written])

    shown = capsys.readouterr()
    assert code == 0, shown.err
    rows, found = pl.read_parquet(out), json.loads(figures.read_text())
    blocks = {block["block"]: block for block in found["blocks"]}
    assert blocks["all matches"]["matches"] == found["test_matches"] == len(rows) == 60
    assert blocks["with odds"]["matches"] == 1 == rows["bookmaker_p_home"].count()
    assert "1 of 2 rows of odds found their match; 1 without a match: 2015-06-08 eng.1 Nobody" in shown.out
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
    assert rows.columns[: len(BACKTEST_COLUMNS)] == BACKTEST_COLUMNS
    assert {"trained_before", "frozen_p_home", "frozen_xg_away"} <= set(rows.columns)
    assert [season["season"] for season in found["seasons"]] == ["2014-15", "2015-16", "all"]
    assert "Training 2 of 2, on what was known before 2015-07-01" in shown.err
    assert "No odds are known of these matches" in shown.out
