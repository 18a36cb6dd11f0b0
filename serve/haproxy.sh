#!/bin/sh
# What Ray Serve starts as HAProxy: haproxy.py edits the configuration that Serve generated and becomes HAProxy.
exec "$FOOTBALL_PYTHON" -I -S "$(dirname "$0")/haproxy.py" "$@"
