"""The hyperparameter sweep on Ray Tune."""
