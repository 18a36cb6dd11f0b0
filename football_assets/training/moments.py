"""Means and variances of features whose rows arrive in parts, in one process or in several."""

from collections.abc import Callable

import torch
from torch import Tensor

Total = Callable[[Tensor], Tensor]


class Moments:
    """Count, mean and sum of squared deviations of each feature, merged part by part [1]; NaN is left out.

    Parameters
    ----------
    features
        Number of features.

    References
    ----------
    [1] Chan, Golub and LeVeque, 1983, Algorithms for computing the sample variance.
    """

    def __init__(self, features: int) -> None:
        self._count, self._mean, self._squares = torch.zeros(3, features, dtype=torch.float64)

    def add(self, rows: Tensor) -> None:
        """Merge rows `[n, features]`, on any device; n may be 0."""
        rows = rows.double()
        is_known = ~rows.isnan()
        count = is_known.sum(dim=0)
        mean = rows.nansum(dim=0) / count.clamp(min=1)
        squares = torch.where(is_known, rows - mean, 0.0).square().sum(dim=0)
        count, mean, squares = count.cpu(), mean.cpu(), squares.cpu()
        both, delta = self._count + count, mean - self._mean
        weight = count / both.clamp(min=1)
        self._squares += squares + delta.square() * self._count * weight
        self._mean += delta * weight
        self._count = both

    def joined(self, total: Total) -> tuple[Tensor, Tensor]:
        """Return mean and variance of each feature, `[features]` float64; both are 0 for a feature without a value.

        Parameters
        ----------
        total
            Sums float64 values over all processes that have a part of the rows.
        """
        count, summed = total(torch.stack([self._count, self._count * self._mean]))
        mean = summed / count.clamp(min=1)
        squares = total(self._squares + self._count * (self._mean - mean).square())
        return mean, squares / count.clamp(min=1)
