"""Compare the network with other models over past seasons: rolling backtest, odds, paper bets."""
