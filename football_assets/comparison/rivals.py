"""The rivals of the network, from the simplest to those with most information."""

from collections.abc import Collection
from dataclasses import replace

from football_assets.comparison.bookmakers import CLOSING_AVERAGE, FIRST_ODDS, PRE_MATCH_AVERAGE
from football_assets.comparison.dixon_coles import DixonColesRival
from football_assets.comparison.fivethirtyeight import FiveThirtyEightRival
from football_assets.comparison.goals_models import GoalsModelRival
from football_assets.comparison.pi_catboost import PiCatBoostRival
from football_assets.comparison.rival import Rival
from football_assets.comparison.simple_rivals import ClassPrior, EloLogistic
from football_assets.comparison.trees import BoostedTreesRival

PRIOR_RIVAL = ClassPrior()
RIVALS: tuple[Rival, ...] = (
    PRIOR_RIVAL,
    EloLogistic(),
    DixonColesRival(),
    GoalsModelRival(),
    PiCatBoostRival(),
    BoostedTreesRival(),
    FiveThirtyEightRival(),
    PRE_MATCH_AVERAGE,
    CLOSING_AVERAGE,
    FIRST_ODDS,
)


def rival_keys() -> list[str]:
    """Return the keys of the models that a comparison may leave out."""
    return [rival.key for rival in RIVALS if rival.kind == "model" and rival != PRIOR_RIVAL]


def choose_rivals(keys: Collection[str] = (), odds_name: str | None = None) -> list[Rival]:
    """Return the class prior, the models with these keys, or all without keys, and all other rivals.

    Parameters
    ----------
    odds_name
        Name of the row of `odds_home`, `odds_draw`, `odds_away`, where a file has given them.
    """
    chosen = [
        rival
        for rival in RIVALS
        if not keys or rival.key in keys or rival.kind != "model" or rival == PRIOR_RIVAL
    ]
    if odds_name is None:
        return chosen
    return [replace(FIRST_ODDS, name=odds_name) if rival == FIRST_ODDS else rival for rival in chosen]
