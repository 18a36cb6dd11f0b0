"""The names suggested for one that is not known."""

from hypothesis import given
from hypothesis import strategies as st

from football_assets.domain.names import did_you_mean, nearest

TEAMS = [
    "Manchester United FC",
    "Manchester City FC",
    "Arsenal FC",
    "1. FC Köln",
    "Bayern München",
    "FC Bayern II",
]


def test_a_misspelt_name_finds_the_team() -> None:
    assert nearest("Arsenl FC", TEAMS)[0] == "Arsenal FC"
    assert nearest("manchester untied fc", TEAMS)[0] == "Manchester United FC"


def test_case_and_accents_do_not_matter() -> None:
    assert nearest("1. fc koln", TEAMS, limit=1) == ["1. FC Köln"]
    assert nearest("BAYERN MUNCHEN", TEAMS)[0] == "Bayern München"


def test_a_part_of_a_name_finds_every_team_that_has_it() -> None:
    assert set(nearest("Manchester", TEAMS)) == {"Manchester United FC", "Manchester City FC"}
    assert set(nearest("bayern", TEAMS)) == {"Bayern München", "FC Bayern II"}


def test_nothing_is_offered_for_a_name_like_none() -> None:
    assert nearest("Xyzzyx", TEAMS) == []
    assert nearest("", TEAMS) == []
    assert nearest("Arsenal", []) == []


def test_spellings_that_differ_in_case_alone_are_both_offered() -> None:
    assert set(nearest("ajax", ["Ajax", "AJAX"])) == {"Ajax", "AJAX"}


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=8), st.integers(1, 4))
def test_offers_are_distinct_choices_and_an_exact_name_comes_first(
    name: str, choices: list[str], n: int
) -> None:
    offers = nearest(name, choices, n)

    assert len(offers) <= n
    assert set(offers) <= set(choices)
    assert len(set(offers)) == len(offers)
    if name.isalpha() and name.isascii() and [c for c in choices if c.lower() == name.lower()] == [name]:
        assert offers[0] == name


def test_the_offer_reads_as_a_question() -> None:
    assert did_you_mean(["Arsenal FC", "Arles"]) == " Did you mean 'Arsenal FC' or 'Arles'?"
    assert did_you_mean([]) == ""
