"""A code location with a job that waits until it is killed."""

import threading

import dagster as dg


@dg.op
def wait() -> None:
    """Wait for ever."""
    threading.Event().wait()


@dg.job(executor_def=dg.in_process_executor)
def waiting() -> None:
    """Run the op alone."""
    wait()


defs = dg.Definitions(jobs=[waiting])
