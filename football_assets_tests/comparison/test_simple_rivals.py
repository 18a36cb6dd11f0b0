"""Class prior and Elo as rivals: fitted on the training period alone."""

import numpy as np

from football_assets.comparison.simple_rivals import ClassPrior, EloLogistic
from football_assets.training.baselines import elo_logistic
from football_assets.training.split import split_by_time
from football_assets_tests.builders.planted import SMALL, planted_tensors


def test_the_class_prior_is_the_frequencies_of_the_training_period() -> None:
    tensors = planted_tensors()
    split = split_by_time(tensors, SMALL.split)

    found = ClassPrior().forecast(tensors, split, split.test).probabilities

    frequencies = [(tensors.outcome[split.train] == outcome).mean() for outcome in range(3)]
    np.testing.assert_allclose(found, np.tile(frequencies, (len(split.test), 1)))


def test_elo_is_fitted_on_the_training_period() -> None:
    tensors = planted_tensors()
    split = split_by_time(tensors, SMALL.split)

    found = EloLogistic().forecast(tensors, split, split.test).probabilities

    np.testing.assert_array_equal(found, elo_logistic(tensors, split.train, split.test))
    assert not np.allclose(found, elo_logistic(tensors, split.validation, split.test))
