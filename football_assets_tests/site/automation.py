"""The reference of sensors, schedules and jobs, from `football_assets.definitions.defs`."""

from dagster import DefaultScheduleStatus, DefaultSensorStatus, Definitions, ScheduleDefinition

from football_assets_tests.site.markdown import cell, code, name, table
from football_assets_tests.site.pages import Pages

PAGE = "reference/automation.md"
INTRODUCTION = """# Sensors, schedules and jobs

The Dagster daemon evaluates sensors and schedules; `football up` starts it.
[Automation](../concepts/automation.md) explains how they work together. [`football_assets/automation`]({source})
defines them.

"""


def add_automation(pages: Pages, definitions: Definitions) -> None:
    """Add the page of sensors, schedules and jobs."""
    sensors = [
        [
            name(sensor.name),
            _state(sensor.default_status == DefaultSensorStatus.RUNNING),
            f"{sensor.minimum_interval_seconds or 30} s",
            cell(sensor.description or ""),
        ]
        for sensor in definitions.sensors or ()
    ]
    schedules = [
        [
            name(schedule.name),
            _state(schedule.default_status == DefaultScheduleStatus.RUNNING),
            f"{code(schedule.cron_schedule)} {schedule.execution_timezone}",
            code(schedule.job_name),
            cell(schedule.description or ""),
        ]
        for schedule in definitions.schedules or ()
        if isinstance(schedule, ScheduleDefinition)
    ]
    jobs = [[name(job.name), cell(job.description or "")] for job in definitions.jobs or ()]
    text = INTRODUCTION.format(source=pages.source(PAGE, "football_assets/automation"))
    text += f"## Sensors\n\n{table(['Sensor', 'Initial status', 'Interval', 'What it does'], sensors)}\n"
    text += (
        f"## Schedules\n\n{table(['Schedule', 'Initial status', 'Time', 'Job', 'What it does'], schedules)}\n"
    )
    text += f"## Jobs\n\n{table(['Job', 'What it does'], jobs)}"
    pages.add(PAGE, text)


def _state(runs: bool) -> str:
    return "running" if runs else "stopped"
