"""Training: the network, its fit, its evaluation, and the backtest."""
