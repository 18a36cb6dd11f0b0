"""Names and identifiers of teams: a team is its country and its name, canonical where `clubs` lists it."""

LONGEST_NAME = 100
"""Most characters of a name, in files and in requests."""


def team_id(country: str, team_name: str) -> str:
    """Return the identifier of a team: `eng:Arsenal`."""
    return f"{country}:{team_name}"
