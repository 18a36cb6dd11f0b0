"""Encode tables of matches into the network's inputs, for training, backtest and serving."""
