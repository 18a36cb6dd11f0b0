"""Tests of `football_assets.orchestration`."""
