"""The columns that the tensors read: those of the specification, and no other table is needed in memory."""

from football_assets.sequences.columns import KEY_COLUMNS, columns_read
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT


def test_columns_of_past_matches_are_those_of_the_team_and_not_the_ratings_of_either_side() -> None:
    assert columns_read()["team_matches"] == [
        *("match_id", "team_id", "league_id", "opponent_id", "kickoff_date", "is_played"),
        *("goals_for", "goals_against", "is_home", "rest_days", "is_cup"),
    ]


def test_columns_of_the_ratings_are_those_of_a_side_before_its_match() -> None:
    assert columns_read()["team_ratings"] == ["match_id", "team_id", "league_id", "elo", "attack", "defence"]


def test_columns_of_a_match_are_its_keys_targets_and_context_each_once() -> None:
    read = columns_read()["match_features"]

    assert read[: len(KEY_COLUMNS) + 3] == [*KEY_COLUMNS, "outcome", "home_goals", "away_goals"]
    assert len(read) == len(set(read))
    assert set(read) == {*KEY_COLUMNS, "outcome", "home_goals", "away_goals", *DEFAULT_SPEC.context_names} - {
        HOME_ADVANTAGE_SHIFT  # computed from the results of all leagues
    }


def test_another_specification_reads_its_own_columns() -> None:
    short = DEFAULT_SPEC.model_copy(
        update={"history": DEFAULT_SPEC.history[:1], "context": DEFAULT_SPEC.context[-2:]}
    )

    read = columns_read(short)

    assert read["team_matches"][6:] == ["goals_for"]
    assert read["match_features"][len(KEY_COLUMNS) + 3 :] == ["tier"]  # `is_cup` is a key
