"""Tests of `football_assets.training.parallel`."""
