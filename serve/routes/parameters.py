"""Query parameters and errors that several routes share."""

from typing import Annotated

from fastapi import Query, Request

from football_assets.domain.teams import LONGEST_NAME
from serve.problems import ProblemError, error_responses
from serve.schemas import FieldError

LONGEST_LIST = 500
OPERATIONS = "operations"
"""Tag of the routes for probes, Prometheus and people."""

NameParameter = Annotated[str, Query(max_length=LONGEST_NAME)]
LeagueParameter = Annotated[NameParameter | None, Query(description="Identifier or name of a league.")]
LimitParameter = Annotated[
    int, Query(ge=1, le=LONGEST_LIST, description="Maximum number of items in the response.")
]

LOOKUP_ERRORS = error_responses(404, 422, 503)


async def reject_unknown_parameters(request: Request) -> None:
    """Reject a query parameter that a documented route does not have, as bodies reject unknown fields.

    Pages and the routes of operations ignore them: caches and probes add some.

    Raises
    ------
    ProblemError
        A parameter is not known, with status 422.
    """
    route = request.scope["route"]
    if not route.include_in_schema or OPERATIONS in route.tags:
        return
    known = [parameter.alias for parameter in route.dependant.query_params]
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        listed = f"Parameters: {', '.join(known)}." if known else "The path has no parameters."
        errors = [FieldError(field=name, message="The parameter is not known.") for name in unknown]
        raise ProblemError(422, f"{unknown[0]}: The parameter is not known. {listed}", errors=errors)
