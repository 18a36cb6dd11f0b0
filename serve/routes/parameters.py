"""Query parameters and errors that several routes share."""

from typing import Annotated

from fastapi import Query

from football_assets.domain.teams import LONGEST_NAME
from serve.problems import error_responses

LONGEST_LIST = 500

NameParameter = Annotated[str, Query(max_length=LONGEST_NAME)]
LeagueParameter = Annotated[NameParameter | None, Query(description="Identifier or name of a league.")]
LimitParameter = Annotated[
    int, Query(ge=1, le=LONGEST_LIST, description="Maximum number of items in the response.")
]

LOOKUP_ERRORS = error_responses(404, 422, 503)
