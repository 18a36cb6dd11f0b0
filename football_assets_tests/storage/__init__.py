"""Tests of `football_assets.storage`."""
