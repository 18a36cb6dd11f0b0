"""Team identifiers."""

from football_assets.domain.teams import team_id


def test_a_team_belongs_to_its_country() -> None:
    assert team_id("eng", "Arsenal") == "eng:Arsenal"
    assert team_id("eng", "Everton") != team_id("cl", "Everton")
