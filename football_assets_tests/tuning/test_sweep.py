"""The sweep: seeded, bounded, decided by validation over several seeds, and recorded for the next training."""

import io
from datetime import date

import numpy as np
import pytest

from football_assets.errors import FootballError
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.training.best_config import spec_digest
from football_assets.training.fit import fit_forecaster
from football_assets.training.plots import trial_curves
from football_assets.training.split import TimeSplit, split_by_time
from football_assets.tuning.sweep import (
    Finalist,
    Sweep,
    best_config,
    choose_finalists,
    final_table,
    run_sweep,
    trials_table,
    verdict,
)
from football_assets.tuning.trials import BEFORE, DEFAULT, DRAWN
from football_assets_tests.builders.planted import planted_tensors, poisoned
from football_assets_tests.builders.trials import SWEEP, a_trial


def finalist(number: int, *losses: float) -> Finalist:
    return Finalist(a_trial(number), dict(enumerate(losses)))


def test_the_final_has_the_default_the_last_best_and_the_best_drawn_by_their_best_epoch() -> None:
    trials = [
        a_trial(0, 1.05, origin=DEFAULT),
        a_trial(1, 1.04, origin=BEFORE),
        a_trial(2, 1.03, 1.01, 1.09),
        a_trial(3, failure="died"),
        a_trial(4, 1.02),
        a_trial(5, 0.99),
    ]

    chosen = choose_finalists(trials, SWEEP)

    assert [trial.number for trial in chosen] == [0, 1, 5, 2]


def test_a_sweep_without_any_score_says_why() -> None:
    trials = [a_trial(0, origin=DEFAULT, failure="it died"), a_trial(1)]

    with pytest.raises(
        FootballError, match="No trial of the sweep returned a score: trial 0, .*failed: it died"
    ):
        choose_finalists(trials, SWEEP)


def test_a_rival_wins_only_by_more_than_the_standard_error_over_equal_seeds() -> None:
    default = finalist(0, 1.00, 1.02, 1.01)
    clear, lucky, worse = (
        finalist(1, 0.98, 1.00, 0.99),
        finalist(2, 0.90, 1.04, 1.03),
        finalist(3, 1.1, 1.1, 1.1),
    )

    assert verdict([default, worse, clear])[0] is clear
    assert verdict([default, worse, lucky])[0] is default  # +0.020 ± 0.040
    assert verdict([default, worse])[0] is default
    assert verdict([default, clear])[1].startswith("trial 1 beats the default: +0.0200 ± 0.0000")


def test_without_two_seeds_in_common_nobody_wins() -> None:
    default, rival = finalist(0, 1.0, 1.0), Finalist(a_trial(1), {1: 0.5, 2: 0.5})

    winner, reason = verdict([default, rival])

    assert winner is None
    assert "the time was too short" in reason


SPLIT = TimeSplit(
    train=np.arange(3),
    validation=np.arange(3, 5),
    test=np.arange(5, 6),
    train_start=date(2013, 8, 1),
    validation_start=date(2014, 8, 1),
    test_start=date(2015, 2, 1),
    end=date(2015, 5, 31),
)


def test_the_winner_is_recorded_for_the_next_training_with_the_losses_in_order_of_seeds() -> None:
    default = Finalist(a_trial(0, origin=DEFAULT), {1001: 1.2, 1000: 1.1})
    rival = Finalist(a_trial(3, epochs=9), {1001: 1.0, 1000: 0.9})

    won = best_config(Sweep([], [default, rival], rival, "it won"), DEFAULT_SPEC, "digest", SPLIT, "run")
    kept = best_config(Sweep([], [default, rival], default, "none"), DEFAULT_SPEC, "digest", SPLIT, "run")
    unknown = best_config(Sweep([], [default, rival], None, "no time"), DEFAULT_SPEC, "digest", SPLIT, "run")

    assert won is not None
    assert (won.training, won.wins, won.reason) == (rival.trial.training, True, "it won")
    assert (won.validation_log_loss, won.default_validation_log_loss) == ([0.9, 1.0], [1.1, 1.2])
    assert (won.feature_spec, won.tensors, won.run_id) == (spec_digest(DEFAULT_SPEC), "digest", "run")
    assert (won.validation_start, won.validation_end) == (date(2014, 8, 1), date(2015, 1, 31))
    assert kept is not None
    assert (kept.training, kept.wins) == (default.trial.training, False)
    assert unknown is None


def test_the_table_of_the_final_has_a_row_for_each_training() -> None:
    default = Finalist(a_trial(0, origin=DEFAULT), {1000: 1.1})
    rival = Finalist(a_trial(3), {1000: 0.99996, 1001: 1.23456})

    assert final_table(Sweep([], [default, rival], None, "")).rows() == [
        (f"trial 0, {DEFAULT}", 1000, "1.1000"),
        (f"trial 3, {DRAWN}", 1000, "1.0000"),
        (f"trial 3, {DRAWN}", 1001, "1.2346"),
    ]


@pytest.mark.usefixtures("_ray")
def test_a_sweep_finds_what_beats_a_poor_default_without_a_look_at_the_test_period() -> None:
    tensors = planted_tensors()
    split = split_by_time(tensors, SWEEP.split)
    said: list[str] = []

    result = run_sweep(poisoned(tensors, split.test), split, SWEEP, say=said.append)

    alone = fit_forecaster(tensors, split, SWEEP.default)
    assert [epoch.validation_log_loss for epoch in result.trials[0].epochs] == pytest.approx(
        [epoch.validation_log_loss for epoch in alone.epochs], abs=1e-6
    )
    assert result.winner is not None
    assert result.winner is not result.finalists[0]
    assert max(result.winner.losses.values()) < min(result.finalists[0].losses.values())
    assert all(len(item.losses) == SWEEP.final_seeds for item in result.finalists)
    assert sum(line.startswith("Trial ") for line in said[:-1]) == SWEEP.trials
    assert sum(line.startswith("Final: ") for line in said) == 2 * len(result.finalists)
    table = trials_table(result)
    assert table["trial"].to_list() == list(range(6))
    assert table["final_log_loss"].drop_nulls().len() == len(result.finalists)
    best = table.sort("validation_log_loss")["trial"].head(2).to_list()
    assert set(best) <= {item.trial.number for item in result.finalists}


@pytest.mark.usefixtures("_ray")
def test_a_sweep_without_time_ends_and_says_so() -> None:
    tensors = planted_tensors()
    hasty = SWEEP.model_copy(update={"minutes": 1e-3, "epochs": 10_000, "patience": 10_000})

    result = run_sweep(tensors, split_by_time(tensors, SWEEP.split), hasty)

    assert result.winner is None
    assert result.reason.endswith("the time was too short")
    assert [item.trial.origin for item in result.finalists] == [DEFAULT]
    trial_curves(*result.curves()).savefig(io.BytesIO())
