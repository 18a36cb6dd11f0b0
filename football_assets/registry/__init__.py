"""Model versions, aliases, the promotion gate and the model bundle that serving loads."""
