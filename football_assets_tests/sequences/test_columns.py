"""The columns that the tensors read: those of the specification, and no other table is needed in memory."""

from football_assets.features.rating_columns import MARKET_CONTEXT, SHOT_CONTEXT
from football_assets.sequences.columns import (
    KEY_COLUMNS,
    LABELS,
    RATED_TABLES,
    columns_read,
    has_context,
    tables_read_by,
)
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, MATCH_ODDS


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
    computed = {HOME_ADVANTAGE_SHIFT, *MARKET_CONTEXT, *SHOT_CONTEXT, *MATCH_ODDS}
    context = set(DEFAULT_SPEC.context_names) - computed
    assert set(read) == {*KEY_COLUMNS, "outcome", "home_goals", "away_goals", *context}


def test_another_specification_reads_its_own_columns() -> None:
    short = DEFAULT_SPEC.model_copy(
        update={
            "history": DEFAULT_SPEC.history[:1],
            "context": tuple(f for f in DEFAULT_SPEC.context if f.name in ("tier", "is_cup")),
        }
    )

    read = columns_read(short)

    assert read["team_matches"][6:] == ["goals_for"]
    assert read["match_features"][len(KEY_COLUMNS) + 3 :] == ["tier"]  # `is_cup` is a key
    sides = ["match_id", "team_id", "league_id", "is_home"]
    assert read["team_market_ratings"] == [*sides, *LABELS]
    assert read["team_shot_ratings"] == sides
    assert tables_read_by(short) == []


def test_the_states_before_a_match_and_what_it_adds_to_histories_are_read_and_nothing_after_it() -> None:
    read = columns_read()

    for table in RATED_TABLES:
        columns = {*table.team_state, *table.league_state, *table.history}
        assert columns <= set(read[table.name])
        assert not any(name.endswith("_after") for name in read[table.name])
        assert len(read[table.name]) == len(set(read[table.name]))
    assert set(LABELS) <= set(read["team_market_ratings"])
    assert tables_read_by(DEFAULT_SPEC) == list(RATED_TABLES)


def test_a_context_input_alone_needs_the_states_and_a_history_input_alone_does_not() -> None:
    none = DEFAULT_SPEC.model_copy(
        update={
            part: tuple(f for f in getattr(DEFAULT_SPEC, part) if f.group == "results")
            for part in ("history", "context")
        }
    )
    past = none.model_copy(update={"history": DEFAULT_SPEC.history})
    one = none.model_copy(
        update={"context": tuple(f for f in DEFAULT_SPEC.context if f.name == "shots_supremacy")}
    )

    assert [has_context(past, table) for table in RATED_TABLES] == [True, False]  # result_supremacy is left
    assert [has_context(one, table) for table in RATED_TABLES] == [False, True]
    assert "shots_day" not in columns_read(past)["team_shot_ratings"]
    assert {"shots_known", "corners_for"} <= set(columns_read(past)["team_shot_ratings"])
    assert {"shots_day", "shots_home_advantage"} <= set(columns_read(one)["team_shot_ratings"])
