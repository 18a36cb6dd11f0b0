"""Tests. Each folder and module mirrors one of the project."""
