#!/usr/bin/env bash
# Write each public key of PUBLIC_KEYS, PEM texts one after the other, to a file of the folder $1. Without a key the folder
# stays empty, which `football` reports as an error.
set -euo pipefail

mkdir -p "$1"
# A text that was entered in a browser has \r\n.
printf '%s\n' "$PUBLIC_KEYS" | tr -d '\r' | awk -v folder="$1" '
    /^-----BEGIN / { file = folder "/" ++count ".pem" }
    file { print >file }
    /^-----END / { close(file); file = "" }
'
