"""The raw stage: landing files become `raw_matches` and `raw_matches_rejected`, one partition a season."""
