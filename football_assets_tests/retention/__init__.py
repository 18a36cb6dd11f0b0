"""Tests of the retention."""
