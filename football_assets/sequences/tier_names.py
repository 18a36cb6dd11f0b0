"""Names of the tiers of input: `results`, then `+shots`, `+odds` and `+match_odds` where they are known."""

from football_assets.sequences.spec import FeatureGroup

RATED = {"shots": "shots_rated", "odds": "odds_rated"}  # flags of the context, in the order of a tier's name
RESULTS: FeatureGroup = "results"  # never hidden
OWN_ODDS: tuple[FeatureGroup, ...] = ("match_odds",)  # hidden wherever a forecast is scored or compared
TIER_COLUMN = "inputs"  # of `fixture_predictions` and of `prediction_log`


def uses_match_odds(tier: str) -> bool:
    """Return whether a tier has the odds of the match itself."""
    return "match_odds" in tier.split("+")


def inputs_text(tier: str) -> str:
    """Name the inputs of a tier in words: `results + shots + past odds`."""
    words = {"odds": "past odds", "match_odds": "odds of the match"}
    return " + ".join(words.get(group, group) for group in tier.split("+"))
