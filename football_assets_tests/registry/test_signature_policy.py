"""Keys and identities from the environment: which are usable, and the requests that Sigstore would get."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import Message
from importlib.resources import files
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from football_assets.errors import SignatureError, SignaturePolicyError
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import sign_files, verify_files
from football_assets.settings import Settings, get_settings
from football_assets_tests.builders.json_server import run_json_server
from football_assets_tests.builders.signing_keys import PRIVATE, KeyPair, make_key

FILES = {"model.onnx": b"network", "manifest.json": b"{}"}
IDENTITY = SignaturePolicy(identity="trainer@example.org", issuer="https://issuer.example.org")


@pytest.fixture
def key(tmp_path: Path) -> KeyPair:
    return make_key(tmp_path / "keys")


def test_without_settings_nothing_is_signed_or_verified() -> None:
    policy = SignaturePolicy.from_settings(Settings.model_construct())

    policy.check()
    assert (policy.signs, policy.verifies) == (False, False)


def test_a_process_without_a_key_says_whether_signatures_are_required(key: KeyPair) -> None:
    with pytest.raises(
        SignaturePolicyError, match=r"^This process has no key to sign with: set FOOTBALL_SIGNING_KEY"
    ):
        SignaturePolicy().require_signer()
    with pytest.raises(
        SignaturePolicyError, match=r"^Only signed model versions are accepted, and this process has"
    ):
        SignaturePolicy(verify_keys=(key.public,)).require_signer()


def test_the_environment_names_the_keys(
    monkeypatch: pytest.MonkeyPatch, key: KeyPair, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other", "other")
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    policy = SignaturePolicy.from_settings(get_settings())
    assert (policy.signs, policy.verifies) == (True, True)
    signature = sign_files(FILES, policy)

    monkeypatch.delenv("FOOTBALL_SIGNING_KEY")
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", f"{other.public}:{key.public}")
    policy = SignaturePolicy.from_settings(get_settings())
    assert (policy.signs, policy.verifies) == (False, True)
    assert verify_files(FILES, signature, policy.accepted()).startswith("key ")
    with pytest.raises(SignaturePolicyError, match="has no key to sign with: set FOOTBALL_SIGNING_KEY"):
        sign_files(FILES, policy)


def test_a_folder_has_all_its_public_keys(key: KeyPair, tmp_path: Path) -> None:
    folder = tmp_path / "trusted"
    pairs = [make_key(tmp_path / name, name) for name in ("old", "new")]
    folder.mkdir()
    policy = SignaturePolicy(verify_keys=(folder,))
    with pytest.raises(SignaturePolicyError, match=r"folder .*trusted has no file \*\.pem"):
        policy.check()

    for pair in pairs:
        (folder / pair.public.name).symlink_to(pair.public)  # as Kubernetes mounts a ConfigMap

    for pair in pairs:
        assert verify_files(FILES, sign_files(FILES, pair.signing), policy.accepted())
    with pytest.raises(SignatureError, match="not an accepted one"):
        verify_files(FILES, sign_files(FILES, key.signing), policy.accepted())


def test_the_fingerprint_changes_with_the_accepted_signers_only(key: KeyPair, tmp_path: Path) -> None:
    other = make_key(tmp_path, "other")
    policies = [
        SignaturePolicy(),
        key.verifying,
        other.verifying,
        SignaturePolicy(verify_keys=(key.public, other.public)),
        replace(IDENTITY, verify_keys=(key.public,)),
    ]
    assert len({policy.accepted().fingerprint() for policy in policies}) == len(policies)
    assert key.signing.accepted().fingerprint() == key.verifying.accepted().fingerprint()

    before = key.verifying.accepted().fingerprint()
    key.public.write_bytes(other.public.read_bytes())
    assert key.verifying.accepted().fingerprint() != before


def encrypted(path: Path) -> None:
    password = serialization.BestAvailableEncryption(b"secret")
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, PRIVATE, password))


def of_rsa(path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, PRIVATE, serialization.NoEncryption()))


def public_of_rsa(path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    path.write_bytes(
        key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.write_text("no key"), "is no elliptic curve private key in PEM format"),
        (encrypted, "is no elliptic curve private key .* private key is encrypted"),
        (of_rsa, "is no elliptic curve private key .* type RSAPublicKey"),
    ],
)
def test_an_unusable_private_key_is_named(tmp_path: Path, write: Callable[[Path], None], reason: str) -> None:
    write(tmp_path / "bad.pem")
    policy = SignaturePolicy(signing_key=tmp_path / "bad.pem")

    for use in (policy.check, lambda: sign_files(FILES, policy)):
        with pytest.raises(SignaturePolicyError, match=f"FOOTBALL_SIGNING_KEY .*bad.pem {reason}"):
            use()


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.write_text("no key"), "is no elliptic curve public key in PEM format"),
        (lambda path: make_key(path.parent).private.rename(path), "is no elliptic curve public key"),
        (public_of_rsa, "is no elliptic curve public key .* type RSAPublicKey"),
    ],
)
def test_an_unusable_public_key_is_named_and_never_ignored(
    key: KeyPair, tmp_path: Path, write: Callable[[Path], None], reason: str
) -> None:
    signature = sign_files(FILES, key.signing)
    write(tmp_path / "bad.pem")
    policy = SignaturePolicy(verify_keys=(key.public, tmp_path / "bad.pem"))

    for use in (policy.check, policy.accepted, lambda: verify_files(FILES, signature, policy.accepted())):
        with pytest.raises(SignaturePolicyError, match=f"FOOTBALL_VERIFY_KEYS .*bad.pem {reason}"):
            use()


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP224R1()], ids=lambda curve: curve.name)
def test_a_key_of_a_curve_that_model_signing_does_not_support_is_named(
    tmp_path: Path, curve: ec.EllipticCurve
) -> None:
    key = make_key(tmp_path, curve=curve)

    for setting, policy in (("SIGNING_KEY", key.signing), ("VERIFY_KEYS", key.verifying)):
        with pytest.raises(
            SignaturePolicyError,
            match=f"FOOTBALL_{setting} .* its curve is {curve.name}: use P-256, P-384 or P-521",
        ):
            policy.check()


def test_settings_that_contradict_each_other_are_rejected(key: KeyPair) -> None:
    with pytest.raises(SignaturePolicyError, match="FOOTBALL_SIGSTORE_IDENTITY and FOOTBALL_SIGSTORE_ISSUER"):
        SignaturePolicy(identity="trainer@example.org").check()
    with pytest.raises(
        SignaturePolicyError, match="FOOTBALL_SIGNING_KEY and FOOTBALL_SIGSTORE_SIGN are both set"
    ):
        SignaturePolicy(signing_key=key.private, sigstore_sign=True).check()
    with pytest.raises(
        SignaturePolicyError, match="FOOTBALL_SIGSTORE_SIGN is set, but no identity is accepted"
    ):
        SignaturePolicy(sigstore_sign=True, verify_keys=(key.public,)).check()


class Sigstore:
    """The servers of a Sigstore instance and the token service of a GitHub runner, which record their requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Message, Any]] = []
        self.url = ""
        now = int(time.time())
        claims = {"sub": "repo:o/r", "iss": "", "aud": "sigstore", "iat": now, "nbf": now, "exp": now + 600}
        self.token = jwt.encode(claims | {"iss": "https://issuer.example.org"}, "x" * 32)

    def answer(self, method: str, path: str, headers: Message, body: Any) -> tuple[int, Any]:
        self.requests.append((method, path, headers, body))
        if path.startswith("/.well-known/openid-configuration"):
            return 200, {"authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token"}
        if path.startswith("/id-token"):
            return 200, {"value": self.token}
        return 403, {"message": "this identity is not allowed"}

    def trust(self, file: Path) -> Path:
        """Write a client trust configuration of the instance, whose roots are those of the public one."""
        store = files("sigstore") / "_store" / "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"
        since = {"start": "2025-01-01T00:00:00Z"}
        service = {"url": self.url, "majorApiVersion": 1, "validFor": since, "operator": "tests"}
        signing = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service],
            "oidcUrls": [service],
            "rekorTlogUrls": [service],
            "tsaUrls": [],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaConfig": {"selector": "ANY"},
        }
        config = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": json.loads((store / "trusted_root.json").read_text()),
            "signingConfig": signing,
        }
        file.write_text(json.dumps(config))
        return file


@pytest.fixture
def sigstore(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sigstore]:
    server = Sigstore()
    with run_json_server(server.answer) as server.url:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the runner")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{server.url}/id-token?v=1")
        yield server


def test_sigstore_is_asked_for_a_certificate_with_the_identity_of_the_machine(
    sigstore: Sigstore, tmp_path: Path
) -> None:
    policy = replace(IDENTITY, sigstore_sign=True, trust=sigstore.trust(tmp_path / "trust.json"))
    assert (policy.signs, policy.verifies) == (True, True)

    with pytest.raises(SignaturePolicyError, match="could not be signed"):
        sign_files(FILES, policy)

    method, path, headers, body = sigstore.requests[-1]
    assert (method, path) == ("POST", "/api/v2/signingCert")
    assert headers["Authorization"] == f"Bearer {sigstore.token}"
    request = x509.load_pem_x509_csr(base64.b64decode(body["certificateSigningRequest"]))
    assert request.is_signature_valid


def test_without_an_identity_nobody_is_asked_to_log_in(
    monkeypatch: pytest.MonkeyPatch, sigstore: Sigstore, tmp_path: Path
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    policy = replace(IDENTITY, sigstore_sign=True, trust=sigstore.trust(tmp_path / "trust.json"))

    with pytest.raises(SignaturePolicyError, match="this machine has no OpenID Connect identity"):
        sign_files(FILES, policy)
    assert sigstore.requests == []


def test_where_an_identity_of_sigstore_is_accepted_no_key_is(
    sigstore: Sigstore, key: KeyPair, tmp_path: Path
) -> None:
    policy = replace(IDENTITY, trust=sigstore.trust(tmp_path / "trust.json"))
    signature = json.loads(sign_files(FILES, key.signing))
    with pytest.raises(SignatureError, match="key .* is not an accepted one"):
        verify_files(FILES, json.dumps(signature).encode(), policy.accepted())

    signature["verificationMaterial"] = {"certificate": {"rawBytes": "AAAA"}}
    with pytest.raises(SignatureError, match="not valid for these files"):
        verify_files(FILES, json.dumps(signature).encode(), policy.accepted())
    with pytest.raises(SignatureError, match="FOOTBALL_SIGSTORE_IDENTITY is not set"):
        verify_files(FILES, json.dumps(signature).encode(), key.verifying.accepted())


def test_a_trust_configuration_that_cannot_be_read_is_an_error(key: KeyPair, tmp_path: Path) -> None:
    signature = json.loads(sign_files(FILES, key.signing))
    signature["verificationMaterial"] = {"certificate": {"rawBytes": "AAAA"}}
    policy = replace(IDENTITY, trust=tmp_path / "missing.json")

    reason = "FOOTBALL_SIGSTORE_TRUST .*missing.json cannot be read: No such file or directory"
    for use in (
        policy.check,
        lambda: verify_files(FILES, json.dumps(signature).encode(), policy.accepted()),
    ):
        with pytest.raises(SignaturePolicyError, match=reason):
            use()


def test_the_fingerprint_changes_with_the_content_of_the_trust_configuration(tmp_path: Path) -> None:
    trust = tmp_path / "trust.json"
    policy = replace(IDENTITY, trust=trust)
    trust.write_text("{}")
    before = policy.accepted()

    trust.write_text("[]")

    assert policy.accepted().fingerprint() != before.fingerprint()
    assert before.trust == b"{}"
