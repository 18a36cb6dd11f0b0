"""Model versions in the bucket: publish a bundle under a new number, and read it back checked against its digests.

`registry/versions/<n>/` holds the files of version n. `manifest.json` is written last and create-only: a version exists
once its manifest does. A publisher first claims the number with a create-only `claim.json`, so two publishers never
write into one folder. The number of a publisher that died is not reused.

`model.sig` is the signature of a version's files and manifest. Where the policy verifies signatures, no file of a
version is returned before its signature has been verified: `StoredVersion`.
"""

import re
from collections.abc import Callable, Container
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from football_assets.errors import ObjectNotFound, PreconditionFailed, RegistryError
from football_assets.registry.manifest import (
    CLAIM_FILE,
    MANIFEST_FILE,
    REMOVED_FILE,
    SIGNATURE_FILE,
    BundleFile,
    Manifest,
    content_digest,
    sha256,
    to_json,
)
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import ModelSignature, sign_files
from football_assets.registry.stored_version import VERSIONS, StoredVersion, VersionFolder
from football_assets.storage.bucket import ABSENT, Bucket, condition_of

_CLAIMS = 100  # numbers that a publisher tries to claim, while others claim numbers too
NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class ModelVersions:
    """The model versions of a bucket, by number. `Registry` adds the aliases."""

    def __init__(self, bucket: Bucket, policy: SignaturePolicy) -> None:
        self._bucket = bucket
        self._policy = policy

    def publish(self, bundle: Path | ModelBundle, metadata: dict[str, Any]) -> int:
        """Store a bundle as a new version, signed with the policy's key if it has one. See `Registry.publish`."""
        self._policy.check()
        contents = (ModelBundle.of_folder(bundle) if isinstance(bundle, Path) else bundle).files
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

    def open(self, number: int) -> StoredVersion:
        """Open a version, verified where the policy does. See `Registry.open`."""
        text, manifest = self._read_manifest(number)
        folder = VersionFolder(self._bucket, number)
        if not self._policy.verifies:
            return StoredVersion(folder, text, manifest)
        return StoredVersion.verified(folder, text, manifest, self._policy.accepted())

    def sign(self, number: int) -> ModelSignature:
        """Sign a stored version. See `Registry.sign`."""
        accepted = self._policy.accepted()
        text, manifest = self._read_manifest(number)
        folder = VersionFolder(self._bucket, number)
        before = self._bucket.stat(folder.name(SIGNATURE_FILE))
        version = StoredVersion(folder, text, manifest)
        if before is not None and self._policy.verifies:
            version = StoredVersion.verified(folder, text, manifest, accepted)
        files = {name: version.read(name) for name in manifest.files}
        signature = sign_files({**files, MANIFEST_FILE: text}, self._policy)
        self._bucket.write(folder.name(SIGNATURE_FILE), signature, if_version=condition_of(before))
        return self.open(number).signature()

    def _read_manifest(self, number: int) -> tuple[bytes, Manifest]:
        """Read the text of a version's manifest and parse it. Its signature is not verified."""
        folder = VersionFolder(self._bucket, number)
        try:
            text = folder.read(MANIFEST_FILE)
            return text, Manifest.from_json(text, number)
        except ObjectNotFound:
            raise RegistryError(
                f"There is no model version {number} in {self._bucket.url}. {self.describe()}"
            ) from None
        except ValueError as error:
            raise RegistryError(f"{folder.name(MANIFEST_FILE)} {error}") from error

    def find(self, content: str) -> int | None:
        """Return the newest intact version whose files have this content digest, or None."""
        return next((number for number in reversed(self.numbers()) if self._holds(number, content)), None)

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
            if self.manifest(number).content != content:  # most are another: their signature is not needed
                return False
            version = self.open(number)
            for name in version.manifest.files:
                version.read(name)
        except RegistryError:  # a corrupt version holds nothing that can be used
            return False
        return version.manifest.content == content

    def _claim_number(self) -> int:
        first = max((number for number, _ in self._listing()), default=0) + 1
        record = to_json({"claimed": datetime.now(UTC).isoformat()})
        rejection: PreconditionFailed | None = None
        for number in range(first, first + _CLAIMS):
            try:
                self._bucket.write(f"{VERSIONS}{number}/{CLAIM_FILE}", record, if_version=ABSENT)
            except PreconditionFailed as error:  # another publisher has claimed the number
                rejection = error
            else:
                return number
        raise RegistryError(
            f"No version could be registered: {self._bucket.url} rejected the claims of {_CLAIMS} numbers. Check its "
            "policies, such as a retention or a perimeter, and try again."
        ) from rejection
