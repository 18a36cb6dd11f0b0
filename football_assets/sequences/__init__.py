"""From tables of matches to the network's inputs: the one encoder, for training, backtest and serving alike."""
