"""Read the files of the Kaggle competition and rebuild results from them."""
