"""A stored model version, altered as someone who can write to the bucket would alter it."""

import json
from collections.abc import Callable

from football_assets.registry.aliases import AliasStore
from football_assets.registry.manifest import (
    MANIFEST_FILE,
    SIGNATURE_FILE,
    BundleFile,
    content_digest,
    sha256,
)
from football_assets.registry.store import VERSIONS
from football_assets.storage.bucket import Bucket
from football_assets.storage.model_files import (
    CHECKPOINT,
    FEATURE_SPEC,
    METRICS,
    MODEL,
    MODEL_CARD,
    MODEL_INT8,
    REFERENCE,
    TEAM_STATE,
    TEST_PREDICTIONS,
    TRAINING,
)

STORED_FILES = (
    CHECKPOINT,
    FEATURE_SPEC,
    METRICS,
    MODEL,
    MODEL_CARD,
    REFERENCE,
    TEAM_STATE,
    TEST_PREDICTIONS,
    TRAINING,
    MANIFEST_FILE,
    SIGNATURE_FILE,
)
"""Files of a signed version without `model.int8.onnx`, which a version may lack."""

Alteration = Callable[[Bucket, int], None]


def stored_files(bucket: Bucket, number: int) -> set[str]:
    """Names of the files of a version, without the claim of its number and the optional int8 model."""
    folder = f"{VERSIONS}{number}/"
    return {item.name.removeprefix(folder) for item in bucket.list(folder)} - {"claim.json", MODEL_INT8}


def flip_byte(name: str, position: float = 0.5) -> Alteration:
    """Change one bit of one byte of a file."""

    def alter(bucket: Bucket, number: int) -> None:
        content = bytearray(bucket.read(f"{VERSIONS}{number}/{name}"))
        content[int(len(content) * position)] ^= 1
        bucket.write(f"{VERSIONS}{number}/{name}", bytes(content))

    return alter


def flip_byte_and_digests(name: str) -> Alteration:
    """The same, and write the digests of the changed file to the manifest."""

    def alter(bucket: Bucket, number: int) -> None:
        flip_byte(name)(bucket, number)
        rewrite_manifest(
            bucket, number, lambda files: files.__setitem__(name, digest_of(bucket, number, name))
        )

    return alter


def remove_file(name: str) -> Alteration:
    """Delete a file."""
    return lambda bucket, number: bucket.delete(f"{VERSIONS}{number}/{name}")


def remove_file_and_digest(name: str) -> Alteration:
    """Delete a file and its entry in the manifest."""

    def alter(bucket: Bucket, number: int) -> None:
        remove_file(name)(bucket, number)
        rewrite_manifest(bucket, number, lambda files: files.pop(name))

    return alter


def add_file(name: str) -> Alteration:
    """Add a file, with an entry in the manifest."""

    def alter(bucket: Bucket, number: int) -> None:
        bucket.write(f"{VERSIONS}{number}/{name}", b"{}")
        rewrite_manifest(
            bucket, number, lambda files: files.__setitem__(name, digest_of(bucket, number, name))
        )

    return alter


def claim_another_run(bucket: Bucket, number: int) -> None:
    """Change the provenance in the manifest, whose digests stay valid."""
    name = f"{VERSIONS}{number}/{MANIFEST_FILE}"
    record = json.loads(bucket.read(name))
    record["metadata"]["provenance"] = {"run_id": "another"}
    bucket.write(name, json.dumps(record).encode())


def take_signature_of(other: int) -> Alteration:
    """Replace the signature by that of another version."""

    def alter(bucket: Bucket, number: int) -> None:
        bucket.write(
            f"{VERSIONS}{number}/{SIGNATURE_FILE}", bucket.read(f"{VERSIONS}{other}/{SIGNATURE_FILE}")
        )

    return alter


def write_signature(content: bytes) -> Alteration:
    """Replace the signature by other bytes."""
    return lambda bucket, number: _ignore(bucket.write(f"{VERSIONS}{number}/{SIGNATURE_FILE}", content))


def rewrite_manifest(
    bucket: Bucket, number: int, change: Callable[[dict[str, dict[str, object]]], object]
) -> None:
    """Change the entries of a manifest and write the digest of all files that fits them."""
    name = f"{VERSIONS}{number}/{MANIFEST_FILE}"
    record = json.loads(bucket.read(name))
    change(record["files"])
    record["content"] = content_digest({file: BundleFile(**entry) for file, entry in record["files"].items()})
    bucket.write(name, json.dumps(record).encode())


def digest_of(bucket: Bucket, number: int, name: str) -> dict[str, object]:
    """Entry of a manifest for a file as it is stored."""
    content = bucket.read(f"{VERSIONS}{number}/{name}")
    return {"sha256": sha256(content), "bytes": len(content)}


def copy_version(bucket: Bucket, source: int, target: int) -> None:
    """Exchange the files of a version for those of another; the manifest says the target's number."""
    for item in [*bucket.list(f"{VERSIONS}{source}/")]:
        name = item.name.rpartition("/")[2]
        bucket.write(f"{VERSIONS}{target}/{name}", bucket.read(item.name))
    name = f"{VERSIONS}{target}/{MANIFEST_FILE}"
    bucket.write(name, json.dumps(json.loads(bucket.read(name)) | {"version": target}).encode())


def force_production(bucket: Bucket, number: int) -> None:
    """Make a version production without the checks of the registry."""
    AliasStore(bucket).change(lambda state: state.promoted(number))


def _ignore(_: object) -> None:
    return None


BUNDLE_FILES = tuple(name for name in STORED_FILES if name not in (MANIFEST_FILE, SIGNATURE_FILE))
ALTERATIONS: dict[str, Alteration] = {
    **{f"one byte of {name}": flip_byte(name) for name in STORED_FILES},
    **{f"first byte of {name}": flip_byte(name, 0) for name in STORED_FILES},
    **{f"{name} and its digests": flip_byte_and_digests(name) for name in BUNDLE_FILES},
    **{f"no {name}": remove_file(name) for name in STORED_FILES if name != MANIFEST_FILE},
    "a file less": remove_file_and_digest(TRAINING),
    "a file more": add_file("extra.json"),
    "the provenance": claim_another_run,
    "the signature of version 1": take_signature_of(1),
    "a signature that is no JSON": write_signature(b"\x00garbled"),
    "a signature without statement": write_signature(b'{"verificationMaterial": {}, "dsseEnvelope": {}}'),
    "an empty signature": write_signature(b""),
}
