"""Tests of football_assets/monitoring."""
