"""Watches the model in production: what was asked, what it answered, how it went, and whether the world has moved."""
