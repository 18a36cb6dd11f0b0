"""Tests of syncing with public sources."""
