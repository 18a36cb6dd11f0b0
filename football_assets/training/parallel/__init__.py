"""Training on several workers with Ray Train."""
