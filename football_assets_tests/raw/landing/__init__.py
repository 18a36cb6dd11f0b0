"""Tests of `football_assets.raw.landing`."""
