"""The production version in Ray Serve."""
