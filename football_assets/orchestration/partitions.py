"""Partitions of the raw tables: one a season, added when its first landing object appears."""

from dagster import DynamicPartitionsDefinition

seasons = DynamicPartitionsDefinition(name="seasons")
