#!/bin/sh
# Ray Serve starts this script as HAProxy. haproxy.py edits the configuration that Serve generated and executes HAProxy.
exec "$FOOTBALL_PYTHON" -I -S -c 'import sys
sys.path.insert(0, sys.argv.pop(1))
from serve.haproxy import main
main(sys.argv[1:])' "$(dirname "$(dirname "$0")")" "$@"
