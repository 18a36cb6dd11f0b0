"""Model versions in the bucket: publish a bundle under a new number, and read it back checked against its digests.

`registry/versions/<n>/` holds the files of version n. `manifest.json` is written last and create-only: a version exists
once its manifest does. A publisher first claims the number with a create-only `claim.json`, so two publishers never
write into one folder. The number of a publisher that died is not reused.

`model.sig` is the signature of a version's files and manifest. Where the policy verifies signatures, no file of a
version is returned before its signature has been verified. The manifest has the digest of every file, so a process
verifies a version once and later compares digests.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Container
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from football_assets.errors import (
    BucketError,
    ObjectNotFound,
    PreconditionFailed,
    RegistryError,
    SignatureError,
)
from football_assets.registry.manifest import (
    CLAIM_FILE,
    MANIFEST_FILE,
    REMOVED_FILE,
    SIGNATURE_FILE,
    BundleFile,
    Manifest,
    content_digest,
    first_corrupt,
    read_bundle_files,
    sha256,
    to_json,
)
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import ModelSignature, SignatureStatus, sign_files, verify_files
from football_assets.storage.bucket import ABSENT, Bucket, check_not_linked, condition_of

VERSIONS = "registry/versions/"
NUMBER = re.compile(r"[1-9][0-9]{0,8}")

_REMEMBERED = 256  # versions whose signature a process does not verify again


class ModelVersions:
    """The model versions of a bucket, by number. `Registry` adds the aliases."""

    # Signers of verified versions, by bucket, number, digest of manifest and signature, and accepted signers.
    _signers: ClassVar[dict[tuple[str, int, str, str], str]] = {}

    def __init__(self, bucket: Bucket, policy: SignaturePolicy) -> None:
        self._bucket = bucket
        self._policy = policy

    def publish(self, folder: Path, metadata: dict[str, Any]) -> int:
        """Store a bundle as a new version, signed with the policy's key if it has one. See `Registry.publish`."""
        self._policy.check()
        contents = read_bundle_files(folder)
        files = {name: BundleFile(sha256(data), len(data)) for name, data in contents.items()}
        content = content_digest(files)
        known = self.find(content)
        if known is not None:
            return known
        if self._policy.verifies:
            self._policy.require_signer()
        number = self._claim_number()
        manifest = Manifest(number, datetime.now(UTC), content, files, metadata).to_json()
        if self._policy.signs:
            signature = sign_files({**contents, MANIFEST_FILE: manifest}, self._policy)
            self._bucket.write(f"{VERSIONS}{number}/{SIGNATURE_FILE}", signature)
        for name, data in contents.items():
            self._bucket.write(f"{VERSIONS}{number}/{name}", data)
        self._bucket.write(f"{VERSIONS}{number}/{MANIFEST_FILE}", manifest, if_version=ABSENT)
        return number

    def numbers(self) -> list[int]:
        """Return the numbers of all complete versions, ascending."""
        return sorted(number for number, name in self._listing() if name == MANIFEST_FILE)

    def manifest(self, number: int) -> Manifest:
        """Read the manifest of a version. See `Registry.manifest`."""
        return self._read_manifest(number)[1]

    def trusted_manifest(self, number: int) -> Manifest:
        """Read the manifest of a version, verified where the policy does. See `Registry.trusted_manifest`."""
        text, manifest = self._read_manifest(number)
        if self._policy.verifies:
            self._verify(number, text, manifest)
        return manifest

    def signature(self, number: int) -> ModelSignature:
        """Return the status of a version's signature. See `Registry.signature`."""
        text, manifest = self._read_manifest(number)
        if not self._policy.verifies:
            is_signed = self._bucket.stat(f"{VERSIONS}{number}/{SIGNATURE_FILE}") is not None
            return ModelSignature(SignatureStatus.UNVERIFIED if is_signed else SignatureStatus.UNSIGNED)
        return ModelSignature(SignatureStatus.VERIFIED, self._verify(number, text, manifest))

    def check_signature(self, number: int) -> None:
        """Verify the signature of a version where the policy does.

        Raises
        ------
        SignatureError
            No accepted signer has signed the version as it is stored.
        """
        self.trusted_manifest(number)

    def sign(self, number: int) -> ModelSignature:
        """Sign a stored version. See `Registry.sign`."""
        self._policy.check()
        text, manifest = self._read_manifest(number)
        name = f"{VERSIONS}{number}/{SIGNATURE_FILE}"
        before = self._bucket.stat(name)
        if before is not None and self._policy.verifies:
            self._verify(number, text, manifest)
        files = {name: self._read_file(number, name, entry) for name, entry in manifest.files.items()}
        signature = sign_files({**files, MANIFEST_FILE: text}, self._policy)
        self._bucket.write(name, signature, if_version=condition_of(before))
        return self.signature(number)

    def signature_files(self, number: int) -> dict[str, bytes]:
        """Read the manifest and the signature of a version. See `Registry.signature_files`."""
        text, _ = self._read_manifest(number)
        signature = self._read_signature(number)
        return {MANIFEST_FILE: text} | ({} if signature is None else {SIGNATURE_FILE: signature})

    def _read_manifest(self, number: int) -> tuple[bytes, Manifest]:
        """Read the text of a version's manifest and parse it. Its signature is not verified."""
        name = f"{VERSIONS}{number}/{MANIFEST_FILE}"
        try:
            text = self._read(name)
            return text, Manifest.from_json(text, number)
        except ObjectNotFound:
            raise RegistryError(
                f"There is no model version {number} in {self._bucket.url}. {self.describe()}"
            ) from None
        except ValueError as error:
            raise RegistryError(f"{name} {error}") from error

    def find(self, content: str) -> int | None:
        """Return the newest intact version whose files have this content digest, or None."""
        return next((number for number in reversed(self.numbers()) if self._holds(number, content)), None)

    def read(self, number: int, name: str) -> bytes:
        """Read one file of a version, checked against its digest. See `Registry.read`."""
        manifest = self.trusted_manifest(number)
        if name not in manifest.files:
            raise RegistryError(
                f"Version {number} in {self._bucket.url} has no {name}: it holds {', '.join(manifest.files)}."
            )
        return self._read_file(number, name, manifest.files[name])

    def fetch(self, number: int, scratch: Path) -> Path:
        """Copy a version into a local folder, every file checked against its digest. See `Registry.fetch`."""
        manifest = self.trusted_manifest(number)
        target = scratch / "registry" / f"{number}-{manifest.content[:16]}"
        if target.is_dir():
            if first_corrupt(target, manifest) is None:
                return target
            shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
        try:
            for name, entry in manifest.files.items():
                (temporary / name).write_bytes(self._read_file(number, name, entry))
            try:
                temporary.rename(target)
            except OSError:  # another process has fetched the same version meanwhile
                corrupt = first_corrupt(target, manifest)
                if corrupt is not None:
                    raise RegistryError(
                        f"{target / corrupt} is corrupt: delete {target} and try again."
                    ) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return target

    def remove(self, number: int, named: Callable[[], Container[int]]) -> bool:
        """Remove a version unless it is among those named once its manifest is gone. See `Registry.remove`.

        A copy of the manifest is there from before the manifest is removed until the version is known to be unneeded.
        While it is, every other file is there too, so `restore` can bring the version back. A process that removes
        the version must remove the copy as it was before `named` was called; one that restores it must first replace
        the copy. So only one of them goes on. Each replacement has one more line end than the manifest, which has
        none, and whose bytes are signed.
        """
        name = f"{VERSIONS}{number}/{MANIFEST_FILE}"
        listed = self._bucket.stat(name)
        if listed is not None:
            self._copy_manifest(number)
        copy = self._bucket.stat(f"{VERSIONS}{number}/{REMOVED_FILE}")
        if listed is not None and not self._bucket.remove(listed):
            return False
        try:
            is_needed = number in named()
        except BaseException:
            self.restore(number)
            raise
        if is_needed:
            self.restore(number)
            return False
        # If the copy has changed, another process restores the version or removes it.
        if copy is not None and not self._bucket.remove(copy):
            return False
        for item in self._bucket.list(f"{VERSIONS}{number}/"):
            self._bucket.remove(item)
        return True

    def restore(self, number: int) -> bool:
        """Write the manifest of a version again whose removal has not come further. See `Registry.restore`."""
        name = f"{VERSIONS}{number}/{REMOVED_FILE}"
        copy = self._bucket.stat(name)
        if copy is None or self._bucket.stat(f"{VERSIONS}{number}/{MANIFEST_FILE}") is not None:
            return False
        try:
            content = self._bucket.read(name)
            # The copy gets another generation.
            self._bucket.write(name, content + b"\n", if_version=copy.version)
            manifest = content.rstrip(b"\n")
            self._bucket.write(f"{VERSIONS}{number}/{MANIFEST_FILE}", manifest, if_version=ABSENT)
        except (ObjectNotFound, PreconditionFailed):  # another process removes or restores the version
            return False
        return True

    def describe(self) -> str:
        """Name the newest versions in one sentence, for error messages."""
        numbers = self.numbers()
        if not numbers:
            return "None was published yet: materialize the asset 'registered_model' first."
        shown = ", ".join(str(number) for number in numbers[-5:])
        return f"Versions: {'…, ' if len(numbers) > 5 else ''}{shown}."

    def _listing(self) -> list[tuple[int, str]]:
        """List number and file name of every object of the versions, complete or not."""
        parts = (item.name.removeprefix(VERSIONS).split("/") for item in self._bucket.list(VERSIONS))
        return [(int(part[0]), part[1]) for part in parts if len(part) == 2 and NUMBER.fullmatch(part[0])]

    def _copy_manifest(self, number: int) -> None:
        folder = f"{VERSIONS}{number}/"
        try:
            self._bucket.write(
                folder + REMOVED_FILE, self._bucket.read(folder + MANIFEST_FILE), if_version=ABSENT
            )
        except (ObjectNotFound, PreconditionFailed):  # of an earlier removal, or one that runs
            return

    def _holds(self, number: int, content: str) -> bool:
        try:
            if self.manifest(number).content != content:
                return False
            manifest = self.trusted_manifest(number)
            for name, entry in manifest.files.items():
                self._read_file(number, name, entry)
        except RegistryError:  # a corrupt version holds nothing that can be used
            return False
        return True

    def _claim_number(self) -> int:
        number = max((number for number, _ in self._listing()), default=0) + 1
        record = to_json({"claimed": datetime.now(UTC).isoformat()})
        while True:  # each rejected write means that another publisher has claimed the number
            try:
                self._bucket.write(f"{VERSIONS}{number}/{CLAIM_FILE}", record, if_version=ABSENT)
            except PreconditionFailed:
                number += 1
            else:
                return number

    def _verify(self, number: int, text: bytes, manifest: Manifest) -> str:
        """Verify the signature of a version, from its manifest's text; returns the signer."""
        place = f"Model version {number} in {self._bucket.url}"
        signature = self._read_signature(number)
        if signature is None:
            raise SignatureError(
                f"{place} is not signed. Sign it with `football models sign`, promote a signed version, or train again."
            )
        digest = sha256(sha256(text).encode() + signature)
        key = (self._bucket.url, number, digest, self._policy.fingerprint())
        # Another thread may clear the dictionary at any time.
        signer = self._signers.get(key)
        if signer is None:
            files = {name: self._read_file(number, name, entry) for name, entry in manifest.files.items()}
            try:
                signer = verify_files({**files, MANIFEST_FILE: text}, signature, self._policy)
            except SignatureError as error:
                raise SignatureError(
                    f"{place} is rejected. {error} Promote another version, or train again."
                ) from error
            if len(self._signers) >= _REMEMBERED:
                self._signers.clear()
            self._signers[key] = signer
        return signer

    def _read_signature(self, number: int) -> bytes | None:
        try:
            return self._read(f"{VERSIONS}{number}/{SIGNATURE_FILE}")
        except ObjectNotFound:
            return None

    def _read(self, name: str) -> bytes:
        """Read an object that is no symbolic link of a local bucket.

        Raises
        ------
        RegistryError
            It is one, or lies in a folder that is one.
        """
        try:
            check_not_linked(self._bucket, name)
        except BucketError as error:
            raise RegistryError(str(error)) from error
        return self._bucket.read(name)

    def _read_file(self, number: int, name: str, entry: BundleFile) -> bytes:
        object_name = f"{VERSIONS}{number}/{name}"
        advice = f"version {number} cannot be used. Promote another version, or train again."
        try:
            data = self._read(object_name)
        except ObjectNotFound:
            raise RegistryError(f"{object_name} is missing in {self._bucket.url}: {advice}") from None
        if sha256(data) != entry.sha256:
            raise RegistryError(f"{object_name} is corrupt in {self._bucket.url} (digest differs): {advice}")
        return data
