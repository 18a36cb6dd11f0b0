"""Tests of `football_assets.raw.matching`."""
