"""Team identifiers: a team is its country and its name, canonical where `clubs` lists it."""


def team_id(country: str, team_name: str) -> str:
    """Return the identifier of a team: `eng:Arsenal`."""
    return f"{country}:{team_name}"
