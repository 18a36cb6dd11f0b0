#!/bin/sh
# Ray Serve starts this script as HAProxy. haproxy.py edits the configuration that Serve generated and executes HAProxy.
exec "$FOOTBALL_PYTHON" -I -S "$(dirname "$0")/haproxy.py" "$@"
