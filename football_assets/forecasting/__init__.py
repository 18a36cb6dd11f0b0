"""Forecasts of fixtures by the model that the registry calls production."""
