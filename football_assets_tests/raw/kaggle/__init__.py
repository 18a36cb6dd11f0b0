"""Tests of `football_assets.raw.kaggle`."""
