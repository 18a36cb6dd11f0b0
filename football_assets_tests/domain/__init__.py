"""Tests of `football_assets.domain`."""
