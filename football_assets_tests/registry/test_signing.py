"""Signatures of files: what they cover, who is accepted, and that the command line of model-signing agrees."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from football_assets.errors import SignatureError, SignaturePolicyError
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import sign_files, verify_files
from football_assets_tests.builders.signing_keys import KeyPair, make_key

FILES = {"model.onnx": b"network", "metrics.json": b"{}", "manifest.json": b'{"version": 1}', "empty.md": b""}


@pytest.fixture
def key(tmp_path: Path) -> KeyPair:
    return make_key(tmp_path / "keys")


def statement(signature: bytes) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64.b64decode(json.loads(signature)["dsseEnvelope"]["payload"]))
    return payload


def model_signing(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "folder"
    model.mkdir()
    for name, content in FILES.items():
        (model / name).write_bytes(content)
    return model


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda item: item.name
)
def test_a_signature_covers_every_file_and_names_the_key(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    key = make_key(tmp_path, curve=curve)

    signature = sign_files(FILES, key.signing)

    assert {item["name"] for item in statement(signature)["predicate"]["resources"]} == set(FILES)
    digest = subprocess.run(
        f"openssl pkey -pubin -in {key.public} | sha256sum",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert verify_files(FILES, signature, key.verifying.accepted()) == f"key {digest.stdout.split()[0]}"
    assert verify_files(FILES, signature, key.signing.accepted()) == f"key {digest.stdout.split()[0]}"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({**FILES, "model.onnx": b"networK"}, "model.onnx has another content"),
        ({**FILES, "empty.md": b"x"}, "empty.md has another content"),
        ({**FILES, "manifest.json": b'{"version": 2}'}, "manifest.json has another content"),
        ({**FILES, "more.json": b""}, "more.json was not signed"),
        ({**FILES, ".gitignore": b""}, ".gitignore was not signed"),
        ({name: FILES[name] for name in FILES if name != "empty.md"}, "empty.md is missing"),
        ({}, "empty.md is missing, manifest.json is missing"),
    ],
)
def test_other_files_are_rejected_and_named(key: KeyPair, files: dict[str, bytes], reason: str) -> None:
    signature = sign_files(FILES, key.signing)

    with pytest.raises(SignatureError, match=f"not valid for these files: {reason}"):
        verify_files(files, signature, key.verifying.accepted())


def test_files_whose_contents_are_exchanged_are_rejected(key: KeyPair) -> None:
    signature = sign_files(FILES, key.signing)
    exchanged = FILES | {"model.onnx": FILES["metrics.json"], "metrics.json": FILES["model.onnx"]}

    with pytest.raises(SignatureError, match=r"metrics\.json has another content, model\.onnx has another"):
        verify_files(exchanged, signature, key.verifying.accepted())


def test_a_signature_by_a_key_that_is_not_accepted_is_rejected(key: KeyPair, tmp_path: Path) -> None:
    other = make_key(tmp_path, "other")
    signature = sign_files(FILES, other.signing)
    named = json.loads(signature)["verificationMaterial"]["publicKey"]["hint"]

    with pytest.raises(SignatureError, match=f"signed with key {named}, which is not an accepted one"):
        verify_files(FILES, signature, key.verifying.accepted())
    with pytest.raises(SignatureError, match="not an accepted one"):
        verify_files(FILES, signature, SignaturePolicy(verify_keys=()).accepted())


def test_a_signature_that_names_an_accepted_key_and_is_by_another_is_rejected(
    key: KeyPair, tmp_path: Path
) -> None:
    accepted, other = (
        json.loads(sign_files(FILES, pair.signing)) for pair in (key, make_key(tmp_path, "other"))
    )
    other["verificationMaterial"] = accepted["verificationMaterial"]

    with pytest.raises(SignatureError, match="not valid for these files: InvalidSignature"):
        verify_files(FILES, json.dumps(other).encode(), key.verifying.accepted())


def test_during_a_change_of_keys_signatures_of_both_are_accepted(key: KeyPair, tmp_path: Path) -> None:
    other = make_key(tmp_path, "other")
    both = SignaturePolicy(verify_keys=(key.public, other.public))

    signers = {verify_files(FILES, sign_files(FILES, pair.signing), both.accepted()) for pair in (key, other)}

    assert len(signers) == 2


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def remove(bundle: dict[str, Any]) -> None:
        for part in path[:-1]:
            bundle = bundle[part]
        del bundle[path[-1]]

    return remove


def with_statement(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """Change the signed statement."""

    def rewrite(bundle: dict[str, Any]) -> None:
        payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        change(payload)
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()

    return rewrite


GARBLED: list[Callable[[dict[str, Any]], None]] = [
    without("mediaType"),
    without("verificationMaterial"),
    without("verificationMaterial", "publicKey"),
    without("verificationMaterial", "publicKey", "hint"),
    without("dsseEnvelope"),
    without("dsseEnvelope", "payload"),
    without("dsseEnvelope", "payloadType"),
    without("dsseEnvelope", "signatures"),
    lambda bundle: bundle["dsseEnvelope"].update(signatures=[]),
    lambda bundle: bundle["dsseEnvelope"].update(payload="no base64!"),
    lambda bundle: bundle["dsseEnvelope"].update(payload=base64.b64encode(b"[" * 100_000).decode()),
    lambda bundle: bundle.update(verificationMaterial=[]),
    with_statement(lambda statement: statement["predicate"]["resources"].pop()),
    with_statement(lambda statement: statement["predicate"].update(resources=7)),
    with_statement(lambda statement: statement.update(predicateType="https://example.org/other")),
    with_statement(lambda statement: statement["predicate"]["resources"][0].update(digest="0" * 64)),
]


@pytest.mark.parametrize("change", GARBLED)
def test_a_garbled_signature_is_rejected(key: KeyPair, change: Callable[[dict[str, Any]], None]) -> None:
    bundle = json.loads(sign_files(FILES, key.signing))
    change(bundle)

    with pytest.raises(SignatureError):
        verify_files(FILES, json.dumps(bundle).encode(), key.verifying.accepted())


@pytest.mark.parametrize("text", [b"", b"\xff", b"null", b"[]", b'"x"', b"[" * 100_000])
def test_what_is_no_signature_is_rejected(key: KeyPair, text: bytes) -> None:
    with pytest.raises(SignatureError, match="not a Sigstore bundle"):
        verify_files(FILES, text, key.verifying.accepted())


def test_a_key_that_this_process_does_not_accept_itself_signs_nothing(key: KeyPair, tmp_path: Path) -> None:
    other = make_key(tmp_path, "other")
    mixed = SignaturePolicy(signing_key=key.private, verify_keys=(other.public,))

    with pytest.raises(
        SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS .* do not accept this process's signatures"
    ):
        sign_files(FILES, mixed)


def test_the_command_line_of_model_signing_verifies_our_signature(
    key: KeyPair, folder: Path, tmp_path: Path
) -> None:
    signature = tmp_path / "model.sig"
    signature.write_bytes(sign_files(FILES, key.signing))
    arguments = ("verify", "key", folder, "--signature", signature, "--public_key", key.public)

    assert model_signing(*arguments).returncode == 0
    (folder / "metrics.json").write_bytes(b"[]")
    assert model_signing(*arguments).returncode != 0


def test_a_signature_by_the_command_line_of_model_signing_is_accepted_unless_it_leaves_out_a_file(
    key: KeyPair, folder: Path, tmp_path: Path
) -> None:
    signature = tmp_path / "model.sig"
    arguments = ("sign", "key", folder, "--signature", signature, "--private_key", key.private)

    assert model_signing(*arguments).returncode == 0
    assert verify_files(FILES, signature.read_bytes(), key.verifying.accepted()).startswith("key ")
    assert model_signing(*arguments, "--ignore-paths", folder / "model.onnx").returncode == 0
    with pytest.raises(SignatureError, match=r"model\.onnx was not signed"):
        verify_files(FILES, signature.read_bytes(), key.verifying.accepted())
