"""Start Dagster's code location so that SIGTERM ends it.

`dagster api grpc` gives SIGTERM the disposition that SIGINT has. A shell that is not interactive starts background
processes with SIGINT ignored, and so do some supervisors: such a server ignores SIGTERM, too, and is killed when the
grace period of its pod is over. Here SIGINT gets its default back before the server replaces this process.

The id of the server begins with `SERVER_ID`. It says that one process serves this code and executes its runs, so that a
run that it does not execute has ended. `dagster code-server start` forwards to servers that it replaces at a reload.
"""

import os
import signal
import sys
from typing import NoReturn
from uuid import uuid4

from football_assets.runtime.listening import check_listenable

MODULE = "football_assets.definitions"
SERVER_ID = "football-code-location-"


def become_code_location(host: str, port: int) -> NoReturn:
    """Replace this process by the code location's gRPC server.

    On SIGTERM it waits for calls in progress, at most a minute, and ends with code 0.

    Parameters
    ----------
    host, port
        What it listens on.

    Raises
    ------
    FootballError
        The host is not known or not of this machine, or the port is taken.
    """
    check_listenable(host, port, "name another --host or --port.")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    place = ["--host", host, "--port", str(port), "--fixed-server-id", f"{SERVER_ID}{uuid4()}"]
    server = ["-m", "dagster", "api", "grpc", "--module-name", MODULE, *place]
    # -P: a module in the working directory, such as struct.py, replaces none of the standard library.
    os.execv(sys.executable, [sys.executable, "-P", *server, "--inject-env-vars-from-instance"])
