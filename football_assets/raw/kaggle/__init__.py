"""Files of the Kaggle competition: their format, and the results rebuilt from them."""
