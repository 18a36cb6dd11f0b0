"""Learning: the network, how it is fitted, how it is judged, and the backtest."""
