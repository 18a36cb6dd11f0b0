"""What a modelling choice is worth: forecasts of past seasons, scored."""
