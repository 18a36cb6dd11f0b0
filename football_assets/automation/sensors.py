"""All sensors, each in a module of its name."""

from football_assets.automation.drift_sensor import drift_sensor
from football_assets.automation.new_results_sensor import new_results_sensor
from football_assets.automation.registry_sensor import registry_sensor
from football_assets.automation.run_failure_alert import run_failure_alert
from football_assets.automation.wandb_registry_sensor import wandb_registry_sensor

sensors = [drift_sensor, new_results_sensor, registry_sensor, run_failure_alert, wandb_registry_sensor]
