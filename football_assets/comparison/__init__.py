"""Rivals of the network and past seasons: the rolling backtest, other models, odds and paper bets."""
