"""Model versions in the bucket: publish a bundle under a new number, and read it back checked against its digests.

`registry/versions/<n>/` holds the files of version n. `manifest.json` is written last and create-only: a version exists
once its manifest does. A publisher first claims the number with a create-only `claim.json`, so two publishers never
write into one folder. The number of a publisher that died is not reused.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Container
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from football_assets.errors import ObjectNotFound, PreconditionFailed, RegistryError
from football_assets.registry.manifest import (
    CLAIM_FILE,
    MANIFEST_FILE,
    REMOVED_FILE,
    BundleFile,
    Manifest,
    content_digest,
    first_corrupt,
    read_bundle_files,
    sha256,
    to_json,
)
from football_assets.storage.bucket import ABSENT, Bucket

VERSIONS = "registry/versions/"
NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class ModelVersions:
    """The model versions of a bucket, by number. `Registry` adds the aliases."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def publish(self, folder: Path, metadata: dict[str, Any]) -> int:
        """Store a bundle as a new version. See `Registry.publish`."""
        contents = read_bundle_files(folder)
        files = {name: BundleFile(sha256(data), len(data)) for name, data in contents.items()}
        content = content_digest(files)
        known = self.find(content)
        if known is not None:
            return known
        number = self._claim_number()
        for name, data in contents.items():
            self._bucket.write(f"{VERSIONS}{number}/{name}", data)
        manifest = Manifest(number, datetime.now(UTC), content, files, metadata)
        self._bucket.write(f"{VERSIONS}{number}/{MANIFEST_FILE}", manifest.to_json(), if_version=ABSENT)
        return number

    def numbers(self) -> list[int]:
        """Return the numbers of all complete versions, ascending."""
        return sorted(number for number, name in self._listing() if name == MANIFEST_FILE)

    def manifest(self, number: int) -> Manifest:
        """Read the manifest of a version. See `Registry.manifest`."""
        name = f"{VERSIONS}{number}/{MANIFEST_FILE}"
        try:
            return Manifest.from_json(self._bucket.read(name), number)
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
        manifest = self.manifest(number)
        if name not in manifest.files:
            raise RegistryError(
                f"Version {number} in {self._bucket.url} has no {name}: it holds {', '.join(manifest.files)}."
            )
        return self._read_file(number, name, manifest.files[name])

    def fetch(self, number: int, scratch: Path) -> Path:
        """Copy a version into a local folder, every file checked against its digest. See `Registry.fetch`."""
        manifest = self.manifest(number)
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
        the copy. So only one of them goes on.
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
            manifest = self._bucket.read(name)
            self._bucket.write(name, manifest + b"\n", if_version=copy.version)  # another version of the copy
            self._bucket.write(f"{VERSIONS}{number}/{MANIFEST_FILE}", manifest, if_version=ABSENT)
        except (ObjectNotFound, PreconditionFailed):  # another process removes or restores the version
            return False
        return True

    def describe(self) -> str:
        """Name the newest versions in one sentence, for error messages."""
        numbers = self.numbers()
        if not numbers:
            return "None was published yet: materialise the asset 'registered_model' first."
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
            manifest = self.manifest(number)
            if manifest.content != content:
                return False
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

    def _read_file(self, number: int, name: str, entry: BundleFile) -> bytes:
        object_name = f"{VERSIONS}{number}/{name}"
        advice = f"version {number} cannot be used. Promote another version, or train again."
        try:
            data = self._bucket.read(object_name)
        except ObjectNotFound:
            raise RegistryError(f"{object_name} is missing in {self._bucket.url}: {advice}") from None
        if sha256(data) != entry.sha256:
            raise RegistryError(f"{object_name} is corrupt in {self._bucket.url} (digest differs): {advice}")
        return data
