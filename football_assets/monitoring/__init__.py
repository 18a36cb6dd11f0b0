"""Monitoring of production: logged predictions, their results, and drift from the training data."""
