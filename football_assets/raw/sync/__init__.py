"""Fetch current results from public sources into landing objects, for `football sync` and `synced_results`."""
