"""One stored model version: its manifest is read once, and every file that is returned has a digest of that manifest.

Where the policy verifies signatures, the signature is verified over the bytes that were read, when the version is
opened. Manifest, provenance, signer and files of a `StoredVersion` therefore belong together, whatever happens in the
bucket afterwards.
"""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from football_assets.errors import (
    BucketError,
    ObjectNotFound,
    RegistryError,
    SignatureError,
)
from football_assets.registry.manifest import (
    MANIFEST_FILE,
    SIGNATURE_FILE,
    BundleFile,
    Manifest,
    read_copy,
    sha256,
)
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.provenance import PROVENANCE
from football_assets.registry.signature_policy import AcceptedSigners
from football_assets.registry.signing import ModelSignature, SignatureStatus, verify_files
from football_assets.storage.bucket import Bucket, check_not_linked

VERSIONS = "registry/versions/"

_REMEMBERED = 256  # versions whose signature a process does not verify again, accepted or rejected


_Verified = tuple[str, int, str, str]
"""Bucket, number, digest of manifest and signature, and accepted signers."""


@dataclass(frozen=True)
class VersionFolder:
    """The objects of one version number in a bucket."""

    bucket: Bucket
    number: int

    def __str__(self) -> str:
        """Name the version, for messages."""
        return f"version {self.number} in {self.bucket.url}"

    def name(self, file: str) -> str:
        """Return the object name of a file."""
        return f"{VERSIONS}{self.number}/{file}"

    def read(self, file: str) -> bytes:
        """Read an object that is no symbolic link of a local bucket. Its content is not checked.

        Raises
        ------
        ObjectNotFound
            There is no such object.
        RegistryError
            It is a symbolic link, or lies in a folder that is one.
        """
        try:
            check_not_linked(self.bucket, self.name(file))
        except BucketError as error:
            raise RegistryError(str(error)) from error
        return self.bucket.read(self.name(file))

    def read_checked(self, file: str, entry: BundleFile) -> bytes:
        """Read a file of the bundle.

        Raises
        ------
        RegistryError
            It is missing, or differs from its entry in the manifest.
        """
        advice = f"version {self.number} cannot be used. Promote another version, or train again."
        try:
            data = self.read(file)
        except ObjectNotFound:
            raise RegistryError(f"{self.name(file)} is missing in {self.bucket.url}: {advice}") from None
        if sha256(data) != entry.sha256:
            raise RegistryError(
                f"{self.name(file)} is corrupt in {self.bucket.url} (digest differs): {advice}"
            )
        return data


@dataclass(frozen=True)
class StoredVersion:
    """A version as it was when it was opened.

    Attributes
    ----------
    folder
        Its objects.
    manifest_text, manifest
        Its manifest as it was read, and parsed.
    signature_text, signer
        Its signature and the accepted signer that it is valid for; None where signatures are not verified.
    """

    folder: VersionFolder
    manifest_text: bytes
    manifest: Manifest
    signature_text: bytes | None = None
    signer: str | None = None
    _files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    # The signer of each accepted version, and why each rejected one is rejected.
    _signers: ClassVar[dict[_Verified, str]] = {}
    _rejections: ClassVar[dict[_Verified, str]] = {}

    @classmethod
    def verified(
        cls, folder: VersionFolder, manifest_text: bytes, manifest: Manifest, accepted: AcceptedSigners
    ) -> "StoredVersion":
        """Open a version whose signature is verified over the bytes that its readers get.

        The manifest has the digest of every file. So a process verifies a version once with the same accepted signers,
        and later compares digests. Of a version that was rejected, it reads no file again.

        Raises
        ------
        RegistryError
            A file is missing or corrupt.
        SignatureError
            No accepted signer has signed the version.
        SignaturePolicyError
            This process can verify no version now.
        """
        place = f"Model {folder}"
        try:
            signature = folder.read(SIGNATURE_FILE)
        except ObjectNotFound:
            raise SignatureError(
                f"{place} is not signed. Sign it with `football models sign`, promote a signed version, or train again."
            ) from None
        digest = sha256(sha256(manifest_text).encode() + signature)
        key = (folder.bucket.url, folder.number, digest, accepted.fingerprint())
        # Another thread may clear a dictionary at any time.
        rejection = cls._rejections.get(key)
        if rejection is not None:
            raise SignatureError(rejection)
        signer, files = cls._signers.get(key), {}
        if signer is None:
            files = {name: folder.read_checked(name, entry) for name, entry in manifest.files.items()}
            try:
                signer = verify_files({**files, MANIFEST_FILE: manifest_text}, signature, accepted)
            except SignatureError as error:
                rejection = f"{place} is rejected. {error} Promote another version, or train again."
                _remember(cls._rejections, key, rejection)
                raise SignatureError(rejection) from error
            _remember(cls._signers, key, signer)
        return cls(folder, manifest_text, manifest, signature, signer, files)

    @property
    def number(self) -> int:
        """Number of the version."""
        return self.folder.number

    @property
    def provenance(self) -> Mapping[str, Any] | None:
        """Provenance in the manifest; None: an earlier release registered the version."""
        return self.manifest.metadata.get(PROVENANCE)

    def signature(self) -> ModelSignature:
        """Return the status of the signature. Where signatures are not verified, the bucket is asked for it."""
        if self.signer is not None:
            return ModelSignature(SignatureStatus.VERIFIED, self.signer)
        is_signed = self.folder.bucket.stat(self.folder.name(SIGNATURE_FILE)) is not None
        return ModelSignature(SignatureStatus.UNVERIFIED if is_signed else SignatureStatus.UNSIGNED)

    def signature_files(self) -> dict[str, bytes]:
        """Return what the signature is verified with: the manifest and, if the version is signed, its signature."""
        signature = self.signature_text
        if signature is None:
            with suppress(ObjectNotFound):
                signature = self.folder.read(SIGNATURE_FILE)
        return {MANIFEST_FILE: self.manifest_text} | (
            {} if signature is None else {SIGNATURE_FILE: signature}
        )

    def read(self, name: str) -> bytes:
        """Return the content of one file, checked against its digest.

        Raises
        ------
        RegistryError
            The version has no such file, or it is missing or corrupt.
        """
        if name not in self.manifest.files:
            raise RegistryError(
                f"Version {self.number} in {self.folder.bucket.url} has no {name}: it holds "
                f"{', '.join(self.manifest.files)}."
            )
        if name in self._files:
            return self._files[name]
        return self.folder.read_checked(name, self.manifest.files[name])

    def load(self, scratch: Path) -> ModelBundle:
        """Return all files, each checked against its digest.

        Parameters
        ----------
        scratch
            Folder that keeps a copy; a later call reads that instead of the bucket.

        Raises
        ------
        RegistryError
            A file is missing or corrupt.
        """
        target = scratch / "registry" / f"{self.number}-{self.manifest.content[:16]}"
        try:
            files = read_copy(target, self.manifest)
        except RegistryError:  # no copy, or a corrupt one
            files = {name: self.read(name) for name in self.manifest.files}
            _store_copy(files, target)
        return ModelBundle(files, str(self.folder))


def _remember(outcomes: dict[_Verified, str], key: _Verified, outcome: str) -> None:
    if len(outcomes) >= _REMEMBERED:
        outcomes.clear()
    outcomes[key] = outcome


def _store_copy(files: Mapping[str, bytes], target: Path) -> None:
    """Store verified files in a folder that other processes may read, store or return at the same time.

    The files of an existing folder are replaced one by one and never removed: another process may have stored an intact
    copy since this one found none.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        try:
            temporary.rename(target)
        except OSError:  # the folder is there: corrupt, or stored by another process meanwhile
            with suppress(NotADirectoryError):  # a file has its name: no copy is kept
                for name in files:
                    if (target / name).is_dir() and not (target / name).is_symlink():
                        shutil.rmtree(target / name)
                    (temporary / name).replace(target / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
