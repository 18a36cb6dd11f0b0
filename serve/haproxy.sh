#!/bin/sh
# The HAProxy that Serve starts, with what Serve's template has no setting for. It may meet the same file twice.
# 1. Statistics and metrics listen on loopback; the template binds them to every address.
# 2. A replica gets as many requests as it works on well, and few wait for it: those beyond are refused here, in a
#    millisecond. Refusing costs a replica as much as answering, so replicas that refuse have no time left to answer.
set -eu
per_replica=48 # fewer than requests_at_once in config.yaml
waiting=32
refusal='{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"More requests wait than can be answered soon: try again in 1 s."}'
previous=
for argument in "$@"; do
    if [ "$previous" = -f ]; then
        sed -i -E \
            -e 's/^( *bind )[*]?:([0-9]+)$/\1127.0.0.1:\2/' \
            -e "/ maxconn /!s/^( *server [^ ]+ [^ ]+ check)( observe .*)?\$/\\1 maxconn $per_replica\\2/" \
            "$argument"
        grep -q 'queue gt' "$argument" || sed -i -E \
            "s|^( *)http-reuse always\$|&\\n\\1http-request return status 503 content-type application/problem+json hdr Retry-After 1 string '$refusal' if METH_POST { queue gt $waiting }|" \
            "$argument"
    fi
    previous=$argument
done
exec "$FOOTBALL_HAPROXY" "$@"
