"""Tests of `football_assets.tuning`."""
