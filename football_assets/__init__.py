"""Football match forecasting as a Dagster asset graph. Importing it turns off the usage data of its libraries."""

from football_assets.runtime.telemetry import disable_telemetry

disable_telemetry()
