"""Leave out measures that cannot be right: counts, expected goals and odds. The match itself is kept.

The bounds of odds were chosen on football-data.co.uk's files of 2000 to 2022. Of 131,000 matches with an average and
Bet365's odds, both of which are collected at one time, their probabilities differ by more than 0.2 in nine, mostly rows
that were shifted by a line; 99.9 % differ by less than 0.05. Odds at kick-off know the line-ups: their largest true
difference from earlier ones is 0.31.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from football_assets.domain.measures import (
    BOOKMAKER_ODDS,
    CLOSING_ODDS,
    HANDICAPS,
    MEASURED_XG_PAIRS,
    OUTCOME_ODDS,
    PRE_MATCH_ODDS,
    STATISTIC_PAIRS,
    STATISTICS,
    TOTAL_ODDS,
)
from football_assets.domain.odds_rules import MAX_DECIMAL_ODDS, OVERROUND_BOUNDS
from football_assets.raw.rules import ODDS_TRIPLE

MAX_COUNTS = {
    "half_time_goals": 30,
    "shots": 60,
    "shots_on_target": 40,
    "corners": 35,
    "fouls": 60,
    "yellow_cards": 15,
    "red_cards": 5,
}
"""Largest count of one team."""
MAX_MEASURED_XG = 15
PAIR_OVERROUND = (0.97, 1.25)
"""The same of over and under, and of the two sides of a handicap."""
MAX_HANDICAP = 5
MAX_DIFFERENCES: dict[tuple[tuple[str, ...], tuple[str, ...]], float] = {
    (PRE_MATCH_ODDS, BOOKMAKER_ODDS): 0.2,
    (PRE_MATCH_ODDS, CLOSING_ODDS): 0.35,
    (BOOKMAKER_ODDS, CLOSING_ODDS): 0.35,
}
"""Largest difference of a probability, without the margin, between two groups of odds of one match."""
PREFERRED_ODDS = (CLOSING_ODDS, PRE_MATCH_ODDS, BOOKMAKER_ODDS)
"""Groups of odds in the order in which the plain odds of a match are chosen."""

_Group = tuple[str, ...]


@dataclass(frozen=True)
class MeasureRule:
    """Select rows with `broken`, in which `columns` are left out for a `reason`."""

    columns: _Group
    broken: pl.Expr
    reason: pl.Expr


def without_bad_measures(measured: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace measures by null that break a rule.

    Parameters
    ----------
    measured
        `row`, `home_goals` and `away_goals`, null until played, and MEASURE_COLUMNS.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        The rows, with nulls in place of bad measures, and one row per rule and row that breaks it: `row`, `left_out`,
        the columns that are left out, and `reason`.
    """
    rules = list(_rules())
    broken = _with_verdicts(measured).select(
        rule.broken.fill_null(False).alias(str(number)) for number, rule in enumerate(rules)
    )
    clean, reports = measured, []
    for number, rule in enumerate(rules):
        is_broken = broken[str(number)]
        if not is_broken.any():
            continue
        reports.append(
            measured.filter(is_broken).select(
                "row", left_out=pl.lit(", ".join(rule.columns)), reason=rule.reason
            )
        )
        clean = clean.with_columns(pl.when(~is_broken).then(pl.col(rule.columns)))
    schema = pl.Schema({"row": measured.schema["row"], "left_out": pl.String(), "reason": pl.String()})
    return clean, pl.concat([pl.DataFrame(schema=schema), *reports])


def without_bad_plain_odds(rows: pl.DataFrame, given: pl.DataFrame, clean: pl.DataFrame) -> pl.DataFrame:
    """Replace plain odds that are those of a group that is left out.

    They become those of the first group that remains, in the order of PREFERRED_ODDS, else null.

    Parameters
    ----------
    rows
        `row` and ODDS_TRIPLE.
    given, clean
        Argument and result of `without_bad_measures`, for these rows or more.
    """
    is_left_out = given.select(
        pl.any_horizontal(
            pl.col(group[0]).is_not_null() & clean[group[0]].is_null() for group in OUTCOME_ODDS
        )
    ).to_series()
    if not is_left_out.any():
        return rows
    names = [name for group in OUTCOME_ODDS for name in group]
    changed = clean.filter(is_left_out).select("row", *names)
    changed = changed.hstack(given.filter(is_left_out).select(pl.col(names).name.suffix("_given")))
    plain = rows.select("row", *ODDS_TRIPLE).join(changed, on="row", how="left", maintain_order="left")
    is_bad = pl.any_horizontal(
        pl.col(group[0]).is_null()
        & pl.all_horizontal(
            pl.col(name) == pl.col(f"{own}_given") for name, own in zip(ODDS_TRIPLE, group, strict=True)
        )
        for group in OUTCOME_ODDS
    ).fill_null(False)
    return rows.with_columns(
        plain.select(
            pl.when(is_bad).then(other).otherwise(pl.col(name)).alias(name)
            for name, other in zip(ODDS_TRIPLE, preferred_odds(), strict=True)
        )
    )


def preferred_odds() -> list[pl.Expr]:
    """Select the odds of the first group that is known, in the order of PREFERRED_ODDS, named as ODDS_TRIPLE."""
    groups = zip(*PREFERRED_ODDS, strict=True)
    return [pl.coalesce(columns).alias(name) for name, columns in zip(ODDS_TRIPLE, groups, strict=True)]


def are_sound(odds: Sequence[str]) -> pl.Expr:
    """Select rows with odds above 1 whose sum of 1/odds is that of a bookmaker; never null."""
    is_sound = pl.all_horizontal(_are_odds(odds)) & _implied_sum(odds).is_between(*OVERROUND_BOUNDS)
    return is_sound.fill_null(False)


def _rules() -> Iterator[MeasureRule]:
    yield from map(_counts, STATISTICS, STATISTIC_PAIRS)
    yield _shots_on_target()
    yield _half_time()
    yield from map(_expected_goals, MEASURED_XG_PAIRS)
    for outcomes in OUTCOME_ODDS:
        yield _overround(outcomes, outcomes, OVERROUND_BOUNDS)
    for pair in TOTAL_ODDS:
        yield _overround(pair, pair, PAIR_OVERROUND)
    for handicap in HANDICAPS:
        yield _overround(handicap, handicap[1:], PAIR_OVERROUND)
        yield _handicap(handicap)
    yield from map(_outlier, OUTCOME_ODDS)
    for one, other in MAX_DIFFERENCES:
        yield _contradiction(one, other)


def _counts(name: str, pair: _Group) -> MeasureRule:
    columns = pl.col(pair)
    return MeasureRule(
        pair,
        pl.any_horizontal(~columns.is_between(0, MAX_COUNTS[name]) | (columns != columns.floor())),
        pl.format(
            f"The {name.replace('_', ' ')} {{}} and {{}} are left out: counts are from 0 to {MAX_COUNTS[name]}.",
            *map(_number, pair),
        ),
    )


def _shots_on_target() -> MeasureRule:
    shots, on_target = (STATISTIC_PAIRS[STATISTICS.index(name)] for name in ("shots", "shots_on_target"))
    is_more = [pl.col(part) > pl.col(whole) for part, whole in zip(on_target, shots, strict=True)]
    return MeasureRule(
        (*shots, *on_target),
        pl.any_horizontal(is_more),
        pl.format(
            "The shots are left out: {} and {} on target are more than {} and {} shots.",
            *map(_number, (*on_target, *shots)),
        ),
    )


def _half_time() -> MeasureRule:
    pair = STATISTIC_PAIRS[STATISTICS.index("half_time_goals")]
    goals = ("home_goals", "away_goals")
    is_more = [pl.col(part) > pl.col(whole) for part, whole in zip(pair, goals, strict=True)]
    return MeasureRule(
        pair,
        pl.any_horizontal(is_more),
        pl.format(
            "The half-time score {}-{} is left out: the final score is {}-{}.", *map(_number, (*pair, *goals))
        ),
    )


def _expected_goals(pair: _Group) -> MeasureRule:
    return MeasureRule(
        pair,
        pl.any_horizontal(~pl.col(pair).is_between(0, MAX_MEASURED_XG)),
        pl.format(
            f"The expected goals {{}} and {{}} are left out: they are from 0 to {MAX_MEASURED_XG}.", *pair
        ),
    )


def _overround(group: _Group, odds: _Group, bounds: tuple[float, float]) -> MeasureRule:
    least, most = bounds
    return MeasureRule(
        group,
        pl.any_horizontal(~_are_odds(odds)) | ~_implied_sum(odds).is_between(least, most),
        pl.format(
            f"The odds {' / '.join(['{}'] * len(odds))} ({_kind(group)}) are left out: they are not above 1, or the "
            f"sum of 1/odds is not from {least} to {most}.",
            *odds,
        ),
    )


def _handicap(group: _Group) -> MeasureRule:
    return MeasureRule(
        group,
        pl.col(group[0]).abs() > MAX_HANDICAP,
        pl.format(f"The handicap of {{}} goals is left out: it is above {MAX_HANDICAP}.", group[0]),
    )


def _outlier(group: _Group) -> MeasureRule:
    """Leave out odds that contradict both other groups, which agree."""
    one, other = (each for each in OUTCOME_ODDS if each != group)
    return MeasureRule(
        group,
        _is_outlier(group),
        pl.format(
            f"The odds {{}} / {{}} / {{}} ({_kind(group)}) are left out: they contradict {{}} / {{}} / {{}} "
            f"({_kind(one)}) and {{}} / {{}} / {{}} ({_kind(other)}), which agree.",
            *group,
            *one,
            *other,
        ),
    )


def _contradiction(one: _Group, other: _Group) -> MeasureRule:
    """Leave out two groups of odds that contradict each other, where the third does not decide between them."""
    return MeasureRule(
        (*one, *other),
        _contradict(one, other) & ~(_is_outlier(one) | _is_outlier(other)),
        pl.format(
            f"The odds {{}} / {{}} / {{}} ({_kind(one)}) and {{}} / {{}} / {{}} ({_kind(other)}) are left out: they "
            f"contradict each other, a probability differs by more than {MAX_DIFFERENCES[one, other]}.",
            *one,
            *other,
        ),
    )


def _is_outlier(group: _Group) -> pl.Expr:
    one, other = (each for each in OUTCOME_ODDS if each != group)
    return _contradict(group, one) & _contradict(group, other) & ~_contradict(one, other)


def _with_verdicts(measured: pl.DataFrame) -> pl.DataFrame:
    """Add whether each two groups of odds contradict each other: once, since several rules read it."""
    return measured.with_columns(
        _differ(one, other, most).alias(_verdict(one, other))
        for (one, other), most in MAX_DIFFERENCES.items()
    )


def _contradict(one: _Group, other: _Group) -> pl.Expr:
    return pl.col(_verdict(one, other))


def _verdict(one: _Group, other: _Group) -> str:
    return " and ".join(sorted((one[0], other[0])))


def _differ(one: _Group, other: _Group, most: float) -> pl.Expr:
    """Select rows whose two groups are sound odds of which a probability differs by too much; never null."""
    differences = [
        (1 / pl.col(here) / _implied_sum(one) - 1 / pl.col(there) / _implied_sum(other)).abs()
        for here, there in zip(one, other, strict=True)
    ]
    is_other = (pl.max_horizontal(differences) > most).fill_null(False)
    return are_sound(one) & are_sound(other) & is_other


def _are_odds(odds: Sequence[str]) -> pl.Expr:
    return (pl.col(odds) > 1) & (pl.col(odds) <= MAX_DECIMAL_ODDS)


def _implied_sum(odds: Sequence[str]) -> pl.Expr:
    """Sum 1/odds; null where one is unknown."""
    first, *others = (1 / pl.col(name) for name in odds)
    return sum(others, start=first)


def _kind(group: _Group) -> str:
    """Return the name of a group: `closing odds` of `closing_odds_under`."""
    return group[-1].rpartition("_")[0].replace("_", " ")


def _number(name: str) -> pl.Expr:
    """Format a count without decimals where it has none."""
    return pl.col(name).cast(pl.String).str.strip_suffix(".0")
