"""Tests of `football_assets.sequences`."""
