"""Which headers are those of the Kaggle competition's files."""

from football_assets.raw.formats.competition_headers import is_scores_header, is_wide_header
from football_assets_tests.builders.wide_files import COLUMNS


def test_the_header_is_that_of_the_competition() -> None:
    assert len(COLUMNS) == 190
    assert is_wide_header([name.lower() for name in COLUMNS])
    assert not is_scores_header([name.lower() for name in COLUMNS])
    assert is_scores_header(["id", "score", "target", "home_team_name"])
    assert not is_scores_header(["date", "team 1", "ft", "team 2", "id", "score"])
    assert not is_scores_header(["id", "date", "home", "away", "hg", "ag", "score"])
    assert not is_scores_header(["id", "date", "hometeam", "awayteam", "score"])


def test_one_column_of_a_history_makes_a_wide_file_whatever_else_it_lacks() -> None:
    assert is_wide_header(["id", "away_team_history_rating_10"])
    assert not is_wide_header(["id", "home_team_name", "team_history"])
    assert not is_scores_header(["id", "score", "home_team_history_goal_1"])
    assert not is_scores_header(["score"])
