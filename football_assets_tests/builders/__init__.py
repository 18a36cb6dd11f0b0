"""Builders of worlds, servers, files and installations for the tests."""
