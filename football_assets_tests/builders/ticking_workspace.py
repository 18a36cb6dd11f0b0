"""A code location with a sensor whose ticks succeed, one whose ticks fail, and one that is off."""

import dagster as dg


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def idle() -> None:
    """Succeed."""
    nothing()


@dg.sensor(job=idle, default_status=dg.DefaultSensorStatus.RUNNING)
def well() -> dg.SkipReason:
    """Skip."""
    return dg.SkipReason("nothing to do")


@dg.sensor(job=idle, default_status=dg.DefaultSensorStatus.RUNNING)
def broken() -> dg.SkipReason:
    """Fail."""
    raise RuntimeError("the bucket is out of reach")


defs = dg.Definitions(jobs=[idle], sensors=[well, broken])
