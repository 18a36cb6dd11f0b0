"""Which decimal odds of a home win, a draw and an away win are plausible."""

MAX_DECIMAL_ODDS = 2000.0
OVERROUND_BOUNDS = (0.97, 1.35)
"""Smallest and largest sum of 1/odds of the three outcomes; averages over bookmakers may lie a little below 1."""


def odds_error(home: float, draw: float, away: float) -> str | None:
    """Explain why three decimal odds are not those of one match; None if they are plausible.

    Parameters
    ----------
    home, draw, away
        Decimal odds of each outcome: the payout of a stake of 1.
    """
    for name, value in (("home", home), ("draw", draw), ("away", away)):
        if not 1 < value <= MAX_DECIMAL_ODDS:  # also NaN
            return f"decimal odds are greater than 1 and at most {MAX_DECIMAL_ODDS:g}; those of {name} are {value:g}"
    overround = sum(1 / value for value in (home, draw, away))
    lowest, highest = OVERROUND_BOUNDS
    if lowest <= overround <= highest:
        return None
    return (
        f"1/{home:g} + 1/{draw:g} + 1/{away:g} is {overround:.3f}; for the odds of one match that sum is between "
        f"{lowest:g} and {highest:g}"
    )
