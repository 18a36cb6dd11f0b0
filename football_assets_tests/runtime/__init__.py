"""Tests of `football_assets.runtime`."""
