"""Tests of football_assets.features."""
