"""Football match forecasting as a Dagster asset graph."""
