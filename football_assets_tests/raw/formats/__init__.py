"""Tests of the formats' readers."""
