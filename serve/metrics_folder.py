"""The name of the folder below the scratch folder in which serving processes keep their metrics."""

METRICS = "serve_metrics"
