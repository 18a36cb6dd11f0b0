"""`football predict`: one forecast of the production model."""

from datetime import datetime

import click

from football_assets.cli.context import open_registry, prepare_command_home
from football_assets.cli.options import DAY, home_option
from football_assets.domain.odds_rules import odds_error

_Odds = tuple[float, float, float]


def _checked_odds(context: click.Context, parameter: click.Parameter, odds: _Odds | None) -> _Odds | None:
    message = None if odds is None else odds_error(*odds)
    if message is not None:
        raise click.BadParameter(f"{message}.", context, parameter)
    return odds


@click.command("predict")
@home_option
@click.argument("league")
@click.argument("home_team", metavar="HOME")
@click.argument("away_team", metavar="AWAY")
@click.option(
    "--date",
    "day",
    type=DAY,
    help="Day of the match. Default: the next fixture of the two teams in that league's list, else today.",
)
@click.option(
    "--odds",
    nargs=3,
    type=float,
    metavar="HOME DRAW AWAY",
    callback=_checked_odds,
    help="Decimal odds of the match, such as 2.1 3.4 3.6. The column `inputs` says whether the model uses them.",
)
def predict_command(
    league: str, home_team: str, away_team: str, day: datetime | None, odds: _Odds | None
) -> None:
    """Forecast one match with the production model. Any known name of a team is accepted, like `Man Utd`."""
    settings = prepare_command_home()
    from football_assets.cli.tables import fixtures_table, results_console
    from football_assets.forecasting.fixtures import forecast_match, listed_days

    registry = open_registry(settings)
    kickoff = day.date() if day else None
    forecast = forecast_match(registry, settings.scratch, league, home_team, away_team, kickoff, odds=odds)
    results_console().print(fixtures_table(forecast, f"Model version {forecast['model_version'][0]}"))
    names = forecast.row(0, named=True)
    overdue = listed_days(registry.bucket).overdue(names["league_id"], names["home_team"], names["away_team"])
    if overdue:
        click.echo(f"Date passed, no result yet: {', '.join(map(str, overdue))}.")
