"""A code location with three sensors: the ticks of one succeed, those of another fail, and the third is stopped."""

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
