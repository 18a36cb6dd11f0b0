"""How a process signs model versions, and whose signatures it accepts: keys in PEM files, or Sigstore."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from football_assets.errors import SignatureError, SignaturePolicyError, reason_of
from football_assets.settings import Settings

if TYPE_CHECKING:
    from model_signing import signing, verifying


@dataclass(frozen=True)
class SignaturePolicy:
    """How this process signs model versions, and where the signers that it accepts are configured.

    Attributes
    ----------
    signing_key
        PEM file of the private key.
    verify_keys
        PEM files of public keys and folders of them; None: the public key of `signing_key`.
    sigstore_sign
        Whether to sign with Sigstore.
    identity, issuer
        Whose Sigstore signatures are accepted.
    trust
        Client trust configuration of a private Sigstore.
    """

    signing_key: Path | None = None
    verify_keys: tuple[Path, ...] | None = None
    sigstore_sign: bool = False
    identity: str | None = None
    issuer: str | None = None
    trust: Path | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "SignaturePolicy":
        """Read the policy from the environment's settings."""
        return cls(
            signing_key=settings.signing_key,
            verify_keys=settings.verify_keys,
            sigstore_sign=settings.sigstore_sign,
            identity=settings.sigstore_identity,
            issuer=settings.sigstore_issuer,
            trust=settings.sigstore_trust,
        )

    @property
    def signs(self) -> bool:
        """Whether this process signs the versions that it registers."""
        return self.signing_key is not None or self.sigstore_sign

    @property
    def verifies(self) -> bool:
        """Whether only signed versions are accepted."""
        given = (self.signing_key, self.verify_keys, self.identity, self.issuer)
        return any(value is not None for value in given)

    def check(self) -> None:
        """Check the configuration: that its parts fit together, and every key file.

        Raises
        ------
        SignaturePolicyError
            A setting or a key is unusable, or model-signing is not installed; the message names the setting.
        """
        self.accepted()

    def accepted(self) -> "AcceptedSigners":
        """Read whose signatures are accepted now. The files of the keys may change while a process runs.

        Raises
        ------
        SignaturePolicyError
            As `check`.
        """
        self._check_settings()
        own = [] if self.signing_key is None else [_public_pem(self.signing_key)]
        if self.verify_keys is None:
            pems = own
        else:
            pems = [_public_pem(file, is_private=False) for path in self.verify_keys for file in _files(path)]
        trust = None
        if self.trust is not None:
            with library_errors(f"FOOTBALL_SIGSTORE_TRUST {self.trust} cannot be read"):
                trust = self.trust.read_bytes()
        keys = {hashlib.sha256(pem).hexdigest(): pem for pem in pems}
        return AcceptedSigners(keys, self.identity, self.issuer, trust)

    def _check_settings(self) -> None:
        if self.signing_key is not None and self.sigstore_sign:
            raise SignaturePolicyError(
                "FOOTBALL_SIGNING_KEY and FOOTBALL_SIGSTORE_SIGN are both set: unset one."
            )
        if (self.identity is None) != (self.issuer is None):
            raise SignaturePolicyError(
                "FOOTBALL_SIGSTORE_IDENTITY and FOOTBALL_SIGSTORE_ISSUER are only valid together: set both."
            )
        if self.sigstore_sign and self.identity is None:
            raise SignaturePolicyError(
                "FOOTBALL_SIGSTORE_SIGN is set, but no identity is accepted: set FOOTBALL_SIGSTORE_IDENTITY and "
                "FOOTBALL_SIGSTORE_ISSUER to those of this machine."
            )
        if self.signs or self.verifies:
            signing_library()

    def require_signer(self) -> "AcceptedSigners":
        """Check the configuration, and that this process signs; returns whose signatures are accepted.

        Raises
        ------
        SignaturePolicyError
            As `check`, or neither a key nor Sigstore is configured.
        """
        accepted = self.accepted()
        if not self.signs:
            subject = "Only signed model versions are accepted, and this" if self.verifies else "This"
            raise SignaturePolicyError(
                f"{subject} process has no key to sign with: set FOOTBALL_SIGNING_KEY or FOOTBALL_SIGSTORE_SIGN."
            )
        return accepted

    def signer(self) -> "signing.Config":
        """Configure the signer.

        Raises
        ------
        SignaturePolicyError
            The private key is unusable, or Sigstore cannot be reached.
        """
        config: signing.Config = signing_library().signing.Config()
        if self.signing_key is not None:
            with library_errors(f"FOOTBALL_SIGNING_KEY {self.signing_key} cannot be used"):
                return config.use_elliptic_key_signer(private_key=self.signing_key)
        with library_errors("Sigstore cannot sign"):
            return config.use_sigstore_signer(identity_token=_ambient_token(), trust_config=self.trust)


@dataclass(frozen=True)
class AcceptedSigners:
    """Whose signatures are accepted, read at one moment.

    Attributes
    ----------
    keys
        Public keys, PEM text by its SHA-256 digest.
    identity, issuer
        Whose Sigstore signatures are accepted; None: nobody's.
    trust
        Content of the client trust configuration of a private Sigstore.
    """

    keys: Mapping[str, bytes]
    identity: str | None = None
    issuer: str | None = None
    trust: bytes | None = None

    def fingerprint(self) -> str:
        """Return a digest that changes when a key, an identity or the trust configuration changes."""
        text = repr((sorted(self.keys), self.identity, self.issuer, self.trust))
        return hashlib.sha256(text.encode()).hexdigest()

    def verifier(self, key: str | None, scratch: Path) -> "verifying.Config":
        """Configure the verifier for a signature.

        Parameters
        ----------
        key
            Digest of the public key that the signature names; None: it is a signature of Sigstore.
        scratch
            Receives the public key or the trust configuration.

        Raises
        ------
        SignatureError
            The key is not accepted, or no signer of Sigstore is.
        SignaturePolicyError
            Sigstore or an accepted key cannot be used.
        """
        config: verifying.Config = signing_library().verifying.Config()
        if key is not None:
            pem = self.keys.get(key)
            if pem is None:
                raise SignatureError(f"It is signed with key {key}, which is not an accepted one.")
            path = scratch / "key.pem"
            path.write_bytes(pem)
            with library_errors(f"Key {key} cannot be used"):
                return config.use_elliptic_key_verifier(public_key=path)
        if self.identity is None or self.issuer is None:
            raise SignatureError("It is signed with Sigstore, and FOOTBALL_SIGSTORE_IDENTITY is not set.")
        trust = None
        if self.trust is not None:
            trust = scratch / "trust.json"
            trust.write_bytes(self.trust)
        with library_errors("Sigstore cannot verify"):
            return config.use_sigstore_verifier(
                identity=self.identity, oidc_issuer=self.issuer, trust_config=trust
            )


def signing_library() -> Any:
    """Import model-signing.

    Raises
    ------
    SignaturePolicyError
        It is not installed.
    """
    try:
        import model_signing
    except ImportError as error:
        raise SignaturePolicyError(
            f"Signatures need model-signing ({error}): install the extra 'pipeline' or 'serve' of football-assets."
        ) from error
    return model_signing


def _ambient_token() -> str:
    """Return the OpenID Connect token of the machine, as of GitHub Actions or a service account of Google Cloud.

    Without one, model-signing would wait for a login in a browser.
    """
    from sigstore.oidc import detect_credential

    token = detect_credential()
    if token is None:
        raise SignaturePolicyError(
            "FOOTBALL_SIGSTORE_SIGN is set, and this machine has no OpenID Connect identity: run on GitHub Actions or "
            "Google Cloud, or set FOOTBALL_SIGNING_KEY."
        )
    return token


def _files(path: Path) -> list[Path]:
    """List the files of public keys of a folder, in order of name, or the file itself."""
    found = sorted(path.glob("*.pem")) if path.is_dir() else [path]
    if not found:
        raise SignaturePolicyError(f"FOOTBALL_VERIFY_KEYS: folder {path} has no file *.pem.")
    return found


def _public_pem(path: Path, *, is_private: bool = True) -> bytes:
    """Return the public key of a file with a private or public key, as PEM text."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    setting = "FOOTBALL_SIGNING_KEY" if is_private else "FOOTBALL_VERIFY_KEYS"
    with library_errors(f"{setting} {path} cannot be read"):
        content = path.read_bytes()
    kind = "private" if is_private else "public"
    with library_errors(f"{setting} {path} is no elliptic curve {kind} key in PEM format"):
        if is_private:
            private = serialization.load_pem_private_key(content, password=None)
            key: object = private.public_key()
        else:
            key = serialization.load_pem_public_key(content)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError(f"it is of type {type(key).__name__}")
        if not isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)):  # those of model-signing
            raise ValueError(f"its curve is {key.curve.name}: use P-256, P-384 or P-521")
        return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@contextmanager
def library_errors(what: str) -> Iterator[None]:
    """Raise any error of a library in the block as a SignaturePolicyError."""
    try:
        yield
    except SignaturePolicyError:
        raise
    except Exception as error:  # of the disk, the network, cryptography or Sigstore
        raise SignaturePolicyError(f"{what}: {reason_of_library(error)}.") from error


def reason_of_library(error: Exception) -> str:
    """Return the message of a library's error in one line without a full stop, else the name of its class."""
    if isinstance(error, OSError):
        return reason_of(error)
    text = " ".join(str(error).split())[:300] or type(error).__name__
    return text.rstrip(".")
