"""The logger of the serving application."""

import logging
import traceback

# Ray Serve gives its own logger, `ray.serve`, the log file of the replica. Records of a child logger go there too.
logger = logging.getLogger("ray.serve.football")


def ignore_log_errors() -> None:
    """Ignore errors of logging handlers, as on a full disk, so that requests do not fail.

    Handlers report such an error on standard error, which Ray Serve writes to the same log of a replica: the recursion
    would end in an error of the request.
    """
    logging.raiseExceptions = False


def _format_traceback(record: logging.LogRecord) -> bool:
    """Format the traceback of a record before a handler does.

    `logging` formats one with `print`, which Ray Serve replaces in a replica; its own writes each line as a tuple.
    """
    if record.exc_info and record.exc_info[1] and not record.exc_text:
        record.exc_text = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
    return True


logger.addFilter(_format_traceback)
