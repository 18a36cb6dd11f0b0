"""Tests of the jobs, sensors and schedules that cross stages."""
