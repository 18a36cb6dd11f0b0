"""Tests of football_assets/forecasting."""
