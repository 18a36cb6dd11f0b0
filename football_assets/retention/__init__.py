"""Retention: what of the bucket, of Dagster's storage and of the scratch folder is kept how long. Without Dagster."""
