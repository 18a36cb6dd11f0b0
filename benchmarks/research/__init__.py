"""Measure modelling choices by forecasts of past seasons."""
