"""Signatures of model versions, written and verified with model-signing of the OpenSSF.

A signature is a Sigstore bundle: a DSSE envelope around an in-toto statement that has the SHA-256 digest of every file
of the version, the manifest included. It is signed with an elliptic curve key, or keyless with Sigstore.

References
----------
OpenSSF model signing specification; Sigstore bundle format 0.3; in-toto attestation framework, statement version 1.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from football_assets.errors import SignatureError, SignaturePolicyError, reason_of
from football_assets.registry.signature_policy import (
    AcceptedSigners,
    SignaturePolicy,
    library_errors,
    reason_of_library,
)


class SignatureStatus(StrEnum):
    """What is known about the signature of a model version."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"  # there is one, and no key to verify it with
    UNSIGNED = "unsigned"


@dataclass(frozen=True)
class ModelSignature:
    """The status of a model version's signature. `signed_by` is None unless it is verified."""

    status: SignatureStatus
    signed_by: str | None = None


def sign_files(files: Mapping[str, bytes], policy: SignaturePolicy) -> bytes:
    """Sign the files of a model version.

    Parameters
    ----------
    files
        Content of each file by name, that of the manifest included.
    policy
        Has the key or Sigstore to sign with.

    Returns
    -------
    bytes
        The signature: a Sigstore bundle in JSON.

    Raises
    ------
    SignaturePolicyError
        The policy does not sign, the key is unusable, Sigstore cannot be reached, or the policy does not accept the
        signature.
    """
    accepted = policy.require_signer()
    signer = policy.signer()
    with _model_folder(files) as (model, scratch):
        path = scratch / "signature"
        with library_errors("The model version could not be signed"):
            signer.sign(model, path)
        signature = path.read_bytes()
    try:
        verify_files(files, signature, accepted)
    except SignatureError as error:
        raise SignaturePolicyError(
            f"FOOTBALL_VERIFY_KEYS or FOOTBALL_SIGSTORE_IDENTITY do not accept this process's signatures: {error}"
        ) from error
    return signature


def verify_files(files: Mapping[str, bytes], signature: bytes, accepted: AcceptedSigners) -> str:
    """Verify that a signature by an accepted signer covers exactly these files.

    Parameters
    ----------
    files
        Content of each file by name, that of the manifest included.
    signature
        Sigstore bundle in JSON.
    accepted
        The accepted signers.

    Returns
    -------
    str
        The signer: `key` and the SHA-256 digest of the public key's PEM text, or the Sigstore identity.

    Raises
    ------
    SignatureError
        No accepted signer has signed these files.
    SignaturePolicyError
        This process cannot verify: model-signing, Sigstore or the disk fails.
    """
    statement = _parse(signature)
    with _model_folder(files) as (model, scratch):
        verifier = accepted.verifier(statement.key, scratch)
        path = scratch / "signature"
        path.write_bytes(signature)
        differences = _differences(statement.digests, files)
        try:
            verifier.verify(model, path)
        except Exception as error:  # of cryptography, of Sigstore, of a parser, or of the disk
            if isinstance(error, OSError) and not differences:
                raise SignaturePolicyError(f"Signatures cannot be verified: {reason_of(error)}.") from error
            reason = differences or reason_of_library(error)
            raise SignatureError(f"The signature is not valid for these files: {reason}.") from error
    if differences:  # files that the signer excluded
        raise SignatureError(f"The signature is not valid for these files: {differences}.")
    return f"{accepted.identity} ({accepted.issuer})" if statement.key is None else f"key {statement.key}"


class _Statement(NamedTuple):
    """What a signature states, before it is verified.

    Attributes
    ----------
    digests
        SHA-256 digests of files by name.
    key
        Digest of the public key; None: it has a certificate of Sigstore.
    """

    digests: dict[str, str]
    key: str | None


def _parse(signature: bytes) -> _Statement:
    """Parse a signature without verifying it.

    Raises
    ------
    SignatureError
        It is not a Sigstore bundle with a statement of model-signing.
    """
    try:
        bundle = json.loads(signature)
        statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"], validate=True))
        resources = statement["predicate"]["resources"]
        digests = {item["name"]: item["digest"] for item in resources if item["algorithm"] == "sha256"}
        material = bundle["verificationMaterial"]
        return _Statement(digests, str(material["publicKey"]["hint"]) if "publicKey" in material else None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {reason_of_library(error)}"
        raise SignatureError(
            f"The signature is not a Sigstore bundle of model-signing ({reason})."
        ) from error


def _differences(signed: Mapping[str, str], files: Mapping[str, bytes]) -> str:
    """Describe how files differ from the digests that were signed; empty if they do not."""
    present = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    found = [f"{name} is missing" for name in sorted(signed.keys() - present)]
    found += [f"{name} was not signed" for name in sorted(present.keys() - signed)]
    common = sorted(signed.keys() & present)
    found += [f"{name} has another content" for name in common if signed[name] != present[name]]
    return ", ".join(found)


@contextmanager
def _model_folder(files: Mapping[str, bytes]) -> Iterator[tuple[Path, Path]]:
    """Write files to a temporary folder, which model-signing reads; yields it and an empty folder beside it."""
    with TemporaryDirectory(prefix="football-signature-") as name:
        model, scratch = Path(name) / "model", Path(name) / "scratch"
        model.mkdir()
        scratch.mkdir()
        for file, content in files.items():
            (model / file).write_bytes(content)
        yield model, scratch
