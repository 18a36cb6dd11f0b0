"""Every cell of the tables that the command line prints."""

from datetime import date

import polars as pl
import pytest
from rich.table import Table
from rich.text import Text

from football_assets.cli.tables import (
    bets_table,
    block_table,
    club_tables,
    evaluation_tables,
    fixtures_table,
    forecaster_table,
    results_console,
    rows_table,
    seasons_table,
)
from football_assets.comparison.betting import PaperBets
from football_assets.comparison.blocks import Block, Row
from football_assets.comparison.rolling import SeasonScores
from football_assets.domain.block_bootstrap import Difference
from football_assets.domain.scoring_rules import Scores
from football_assets.forecasting.schema import FIXTURE_SCHEMA
from football_assets.raw.matching.club_report import ClubReport

HOSTILE = "[bold]1. FC[/bold]"


def rows(table: Table) -> list[list[str]]:
    """The header and the cells as a person reads them, row by row."""
    columns = [[plain(column.header), *map(plain, column.cells)] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def plain(cell: object) -> str:
    return Text.from_markup(str(cell)).plain


def bold(table: Table) -> set[tuple[int, str]]:
    """Row and header of each cell in bold."""
    return {
        (number, plain(column.header))
        for column in table.columns
        for number, cell in enumerate(column.cells)
        if any("bold" in str(span.style) for span in Text.from_markup(str(cell)).spans)
    }


def forecasts() -> pl.DataFrame:
    """Two fixtures whose numbers all differ: the home team is favoured in one, the draw in the other."""
    keys = (None, "eng.1", "2015-16", date(2015, 11, 28), None, "Arsenal", "Chelsea")
    others = (None, "de.1", "2015-16", date(2015, 12, 5), None, "Köln", HOSTILE)
    own_odds = ("results+shots+odds+match_odds", 1.9, 3.5, 4.1)
    return pl.DataFrame(
        [
            (*keys, 0.504, 0.275, 0.221, 1.72, 1.08, "1–0 11 %, 1–1 10 %, 2–1 9 %", 7, False, *own_odds),
            (
                *others,
                0.336,
                0.341,
                0.323,
                0.96,
                1.34,
                "1–1 13 %, 0–1 12 %, 0–0 8 %",
                7,
                False,
                "results",
                None,
                None,
                None,
            ),
        ],
        schema=FIXTURE_SCHEMA,
        orient="row",
    )


def test_fixtures_have_a_row_each_with_every_number_under_its_name() -> None:
    table = fixtures_table(forecasts(), "Next of 2 fixtures")

    assert rows(table) == [
        [
            "date",
            "league",
            "home",
            "away",
            "home win",
            "draw",
            "away win",
            "goals",
            "likeliest scores",
            "inputs",
        ],
        [
            *("2015-11-28", "eng.1", "Arsenal", "Chelsea", "50 %", "28 %", "22 %"),
            *("1.7 – 1.1", "1–0 11 %, 1–1 10 %, 2–1 9 %", "results + shots + past odds + odds of the match"),
        ],
        [
            *("2015-12-05", "de.1", "Köln", HOSTILE, "34 %", "34 %", "32 %"),
            *("1.0 – 1.3", "1–1 13 %, 0–1 12 %, 0–0 8 %", "results"),
        ],
    ]
    assert table.title == "Next of 2 fixtures"


def test_the_likeliest_outcome_of_a_fixture_is_bold() -> None:
    assert bold(fixtures_table(forecasts(), "")) == {(0, "home win"), (1, "draw")}


def test_scores_have_a_row_a_forecaster_and_the_best_of_each_score_is_bold() -> None:
    found = {
        "LSTM": {"log_loss": 1.01234, "rps": 0.2034, "brier": 0.6012, "accuracy": 0.5012, "ece": 0.0251},
        "Elo": {"log_loss": 1.0222, "rps": 0.2023, "brier": 0.6123, "accuracy": 0.5123, "ece": 0.0142},
    }

    table = forecaster_table(found, "Test period")

    assert rows(table) == [
        ["forecaster", "log loss", "RPS", "Brier", "accuracy", "ECE"],
        ["LSTM", "1.0123", "0.2034", "0.6012", "0.5012", "0.0251"],
        ["Elo", "1.0222", "0.2023", "0.6123", "0.5123", "0.0142"],
    ]
    assert bold(table) == {(0, "log loss"), (0, "Brier"), (1, "RPS"), (1, "accuracy"), (1, "ECE")}
    assert table.title == "Test period"


def test_an_evaluation_shows_the_network_before_the_baselines_and_counts_its_matches() -> None:
    scores = {"rps": 0.2, "brier": 0.6, "accuracy": 0.5, "ece": 0.02}
    metrics = {
        "train_matches": 12345,
        "test_matches": 1678,
        "test": {"log_loss": 1.0123} | scores,
        "baselines": {
            "class_prior": {"log_loss": 1.0789} | scores,
            "elo": {"log_loss": 1.0242} | scores,
        },
    }

    (table,) = evaluation_tables(metrics)

    assert [row[:2] for row in rows(table)] == [
        ["forecaster", "log loss"],
        ["LSTM", "1.0123"],
        ["Elo, logistic", "1.0242"],
        ["class prior", "1.0789"],
    ]
    assert table.title == "Test period: 1,678 matches after 12,345 training matches"

    tier = {"tier": "results+odds", "matches": 1678, "log_loss": 1.0012, "reference": "results"} | scores
    _, tiers = evaluation_tables(metrics | {"tiers": [tier]})
    assert rows(tiers)[1:] == [["results + past odds", "1,678", "1.0012", "0.2000", "0.0200", ""]]


def test_a_long_name_of_a_forecaster_cuts_no_figure(capsys: pytest.CaptureFixture[str]) -> None:
    wide = Difference(-0.0151, -0.0199, -0.0115)
    rows = [
        Row(
            name,
            Scores(1.0, 0.2, 0.6, 0.5, 0.01),
            dict.fromkeys(("log_loss", "rps", "accuracy", "ece"), wide),
        )
        for name in ("bookmaker, pre-match average", f"bookmaker, {'o' * 40}.csv")
    ]

    results_console().print(block_table(Block("with odds", 12, 3, rows, {})))

    shown = capsys.readouterr().out
    assert "…" not in shown
    assert shown.count("-15.1 [-19.9, -11.5]") == 8


def test_a_block_shows_each_score_and_what_it_is_above_the_networks_in_thousandths() -> None:
    differences = {
        "log_loss": Difference(0.0042, 0.0011, 0.0073),
        "rps": Difference(-0.0021, -0.0032, -0.0009),
        "accuracy": Difference(0.0101, -0.0052, 0.0204),
        "ece": Difference(0.0006, -0.0003, 0.0015),
    }
    block = Block(
        "with odds",
        12345,
        1678,
        [
            Row("Elo, logistic", Scores(1.0242, 0.2079, 0.62, 0.5101, 0.0156), differences),
            Row("LSTM", Scores(1.02, 0.21, 0.61, 0.5, 0.015), {}),
        ],
        {"bookmaker, closing average": 12000},
    )

    table = block_table(block)

    assert rows(table) == [
        [
            "forecaster",
            "log loss  − LSTM [95 %]",
            "RPS  − LSTM [95 %]",
            "accuracy  − LSTM [95 %]",
            "ECE  − LSTM [95 %]",
        ],
        [
            "Elo, logistic",
            "1.0242  +4.2 [1.1, 7.3]",
            "0.2079  -2.1 [-3.2, -0.9]",
            "0.5101  +10.1 [-5.2, 20.4]",
            "0.0156  +0.6 [-0.3, 1.5]",
        ],
        ["LSTM", "1.0200", "0.2100", "0.5000", "0.0150"],
    ]
    known = "bookmaker, closing average: 12,000"
    assert table.title == f"with odds: 12,345 matches, 1,678 league-weeks ({known})"
    assert [row.style for row in table.rows] == ["", "bold"]


def test_a_season_shows_the_frozen_network_before_the_retrained_one() -> None:
    season = SeasonScores(
        "2020-21",
        date(2020, 7, 1),
        date(2021, 6, 30),
        12345,
        frozen=Scores(1.0311, 0.2111, 0.61, 0.5, 0.02),
        retrained=Scores(1.0222, 0.2088, 0.6, 0.51, 0.01),
        difference={"log_loss": Difference(-0.0089, -0.0123, -0.0045), "rps": Difference(1, 2, 3)},
    )

    assert rows(seasons_table([season])) == [
        [
            "season",
            "matches",
            "log loss frozen",
            "retrained",
            "− frozen [95 %]",
            "RPS frozen",
            "retrained",
        ],
        ["2020-21", "12,345", "1.0311", "1.0222", "-8.9 [-12.3, -4.5]", "0.2111", "0.2088"],
    ]


def test_paper_bets_show_what_each_network_won() -> None:
    placed = PaperBets(
        bets=1234,
        won=456,
        profit=-78.94,
        roi=-0.064,
        roi_low=-0.101,
        roi_high=0.022,
        mean_odds=2.913,
        worst_drawdown=93.36,
        curve=pl.DataFrame(),
    )

    table = bets_table({"frozen": placed}, 0.05)

    assert rows(table) == [
        ["network", "bets", "won", "mean odds", "units", "per unit staked [95 %]", "worst drawdown"],
        ["frozen", "1,234", "456", "2.91", "-78.9", "-6.4% [-10.1%, +2.2%]", "93.4"],
    ]
    assert "above 5%" in str(table.title)


def test_cells_of_a_plain_table_are_text_not_markup() -> None:
    table = rows_table(("name", "number"), [(HOSTILE, 1), (None, 2.5)], "Names")

    assert rows(table) == [["name", "number"], [HOSTILE, "1"], ["None", "2.5"]]
    assert table.title == "Names"


CLUBS = {
    "leagues": pl.DataFrame(
        {
            "season": ["2015-16"],
            "league_id": ["eng.1"],
            "sources": [["csv", "json"]],
            "clubs": [21],
            "shared": [19],
            "name": [15],
            "alias": [3],
            "spelling": [2],
            "unknown": [1],
        }
    ),
    "spellings": pl.DataFrame(
        {
            "country": ["eng"],
            "name": ["Arsenal F.C."],
            "club": ["Arsenal"],
            "sources": [["json"]],
            "first_season": ["2014-15"],
            "last_season": ["2015-16"],
            "matches": [76],
        }
    ),
    "mismatches": pl.DataFrame(
        {
            "season": ["2015-16"] * 2,
            "league_id": ["eng.1"] * 2,
            "club": ["Ash", "Birch"],
            "known_to": [["csv"], ["csv", "txt"]],
            "missing_in": ["json"] * 2,
            "matches": [38, 37],
            "counterpart": ["Ash Town", None],
            "in_common": [36, None],
        }
    ),
    "contradictions": pl.DataFrame(
        {
            "country": ["eng"],
            "season": ["2015-16"],
            "club": ["Elm"],
            "name": ["Elm A"],
            "how": ["alias"],
            "other_name": ["Elm B"],
            "other_how": ["spelling"],
            "same": [1],
            "different": [5],
        }
    ),
}


def test_clubs_are_four_tables_with_lists_joined_and_missing_values_said() -> None:
    leagues, spellings, mismatches, contradictions = club_tables(ClubReport(**CLUBS))

    assert leagues.title == "19 of 21 clubs are in all sources of their league and season"
    assert rows(leagues) == [
        ["season", "league id", "sources", "clubs", "shared", "name", "alias", "spelling", "unknown"],
        ["2015-16", "eng.1", "csv, json", "21", "19", "15", "3", "2", "1"],
    ]
    assert rows(spellings)[1:] == [["eng", "Arsenal F.C.", "Arsenal", "json", "2014-15", "2015-16", "76"]]
    assert rows(mismatches) == [
        ["season", "league id", "club", "known to", "missing in", "matches", "counterpart", "in common"],
        ["2015-16", "eng.1", "Ash", "csv", "json", "38", "Ash Town", "36"],
        ["2015-16", "eng.1", "Birch", "csv, txt", "json", "37", "none", ""],
    ]
    assert rows(contradictions)[1:] == [
        ["eng", "2015-16", "Elm", "Elm A", "alias", "Elm B", "spelling", "1", "5"]
    ]


def test_clubs_that_all_match_are_one_table() -> None:
    clean = {name: table if name == "leagues" else table.clear() for name, table in CLUBS.items()}

    assert len(list(club_tables(ClubReport(**clean)))) == 1


def test_a_table_that_is_piped_keeps_its_rows_on_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    results_console().print(fixtures_table(forecasts(), "Next of 2 fixtures"))

    lines = capsys.readouterr().out.splitlines()
    (arsenal,) = [line for line in lines if "Arsenal" in line]
    cells = [cell.strip() for cell in arsenal.strip("│").split("│")]
    assert cells == rows(fixtures_table(forecasts(), ""))[1]
