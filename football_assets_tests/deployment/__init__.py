"""Tests of the production version in Ray Serve."""
