"""Tests of football_assets/export."""
