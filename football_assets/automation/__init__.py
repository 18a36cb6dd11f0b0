"""Automation of the graph: jobs, sensors and schedules that cross stages."""
