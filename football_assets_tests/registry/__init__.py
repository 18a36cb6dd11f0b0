"""Tests of football_assets/registry."""
