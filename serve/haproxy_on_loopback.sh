#!/bin/sh
# The HAProxy that Serve starts, with its statistics and metrics on loopback: Serve's template binds them to every
# address. The ports of the endpoint itself come from `http_options` and are left as they are.
set -eu
previous=
for argument in "$@"; do
    if [ "$previous" = -f ]; then
        sed -i -E 's/^( *bind )[*]?:([0-9]+)$/\1127.0.0.1:\2/' "$argument"
    fi
    previous=$argument
done
exec "$FOOTBALL_HAPROXY" "$@"
