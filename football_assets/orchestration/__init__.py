"""Dagster code that several stages share: resources, IO managers, partitions, run configuration and runs in process."""
