"""The list of rivals: distinct names and columns, and what may be chosen."""

from football_assets.comparison.rivals import PRIOR_RIVAL, RIVALS, choose_rivals, rival_keys

OTHERS = ["fivethirtyeight", "bookmaker_pre_match", "bookmaker_closing", "bookmaker"]


def test_names_and_keys_are_distinct() -> None:
    assert len({rival.name for rival in RIVALS}) == len({rival.key for rival in RIVALS}) == len(RIVALS)


def test_models_may_be_chosen_and_everybody_else_is_always_there() -> None:
    every = [rival.key for rival in RIVALS]

    assert [*rival_keys(), *OTHERS] == [key for key in every if key != PRIOR_RIVAL.key]
    assert choose_rivals() == list(RIVALS)
    chosen = [rival.key for rival in choose_rivals(["trees", "elo"])]
    assert chosen == ["class_prior", "elo", "trees", *OTHERS]


def test_the_row_of_a_file_of_odds_has_its_name_and_the_other_bookmakers_keep_theirs() -> None:
    names = [
        rival.name for rival in choose_rivals(odds_name="bookmaker, odds.csv") if rival.kind == "bookmaker"
    ]

    assert names == ["bookmaker, pre-match average", "bookmaker, closing average", "bookmaker, odds.csv"]
