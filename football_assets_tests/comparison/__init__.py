"""Tests of `football_assets.comparison`."""
