"""Key pairs that sign and verify model versions, and registries that use them."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from football_assets.registry.signature_policy import SignaturePolicy

PRIVATE = serialization.PrivateFormat.PKCS8


@dataclass(frozen=True)
class KeyPair:
    """The PEM files of a key pair."""

    private: Path
    public: Path

    @property
    def signing(self) -> SignaturePolicy:
        """Sign with the private key, and accept its signatures."""
        return SignaturePolicy(signing_key=self.private)

    @property
    def verifying(self) -> SignaturePolicy:
        """Accept signatures of the key."""
        return SignaturePolicy(verify_keys=(self.public,))


def make_key(folder: Path, name: str = "key", curve: ec.EllipticCurve | None = None) -> KeyPair:
    """Generate a key pair in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(curve or ec.SECP256R1())
    pair = KeyPair(folder / f"{name}.private.pem", folder / f"{name}.pem")
    pair.private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, PRIVATE, serialization.NoEncryption())
    )
    public = key.public_key()
    pair.public.write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pair
