#!/usr/bin/env bash
# Push both images with the commit as tag and, of a tag vX.Y.Z, with X.Y.Z. REGISTRY is host/owner, TOKEN its password.
# Writes the output `images` of the step: a JSON list with target, name and digest.
set -euo pipefail

version="$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)"
tags=("$GITHUB_SHA")
if [ "${GITHUB_REF_TYPE:-branch}" = tag ]; then
    [ "$GITHUB_REF_NAME" = "v$version" ] || {
        echo "The tag $GITHUB_REF_NAME is not v$version of pyproject.toml: tag the commit that has the version." >&2
        exit 1
    }
    tags+=("$version")
fi
owner="${REGISTRY,,}" # names of images have no capitals
printf %s "$TOKEN" | buildah login --username "$GITHUB_ACTOR" --password-stdin "${owner%%/*}"
digests="$(mktemp -d)"
images=()
for target in pipeline serve; do
    name="football-assets-$target"
    for tag in "${tags[@]}"; do
        buildah push --digestfile "$digests/$target" "$name:$version" "docker://$owner/$name:$tag"
    done
    images+=("{\"target\": \"$name\", \"name\": \"$owner/$name\", \"digest\": \"$(cat "$digests/$target")\"}")
done
printf 'images=[%s, %s]\n' "${images[@]}" >>"$GITHUB_OUTPUT"
