"""Fetching current results from public sources into the landing objects. The `football sync` command and an asset."""
