"""Model versions and their aliases in the bucket. The asset graph publishes; forecasts, serving and the CLI read.

`registry/versions/<n>/` holds the files of version n and, written last and create-only, `manifest.json` with the
digest of each: a version exists once its manifest does. A publisher first claims the number with a create-only
`claim.json`, so two never write into one folder; the number of a publisher that died is not used again.
`registry/aliases.json` says which version is `production`, `candidate` and `previous`; it changes by conditional write.
"""

import hashlib
import json
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from football_assets.errors import ObjectNotFound, PreconditionFailed, RegistryError
from football_assets.storage.bucket import ABSENT, Bucket

VERSIONS = "registry/versions/"
DECISIONS = "registry/decisions/"
ALIASES_OBJECT = "registry/aliases.json"
ALIASES = ("production", "candidate", "previous")
SUFFIXES = (
    ".json",
    ".md",
    ".onnx",
    ".parquet",
    ".png",
    ".safetensors",
)  # formats that hold no code, so no pickles

_MANIFEST = "manifest.json"
_CLAIM = "claim.json"
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_ATTEMPTS = 100
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class BundleFile:
    """One file of a version. `bytes` is its size."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a version holds. `published` is in UTC, `content` the digest of all its files."""

    version: int
    published: datetime
    content: str
    files: dict[str, BundleFile]
    metadata: dict[str, Any]


@dataclass(frozen=True)
class _AliasState:
    production: int | None = None
    candidate: int | None = None
    previous: int | None = None
    withdrawn: list[int] = field(default_factory=list)


class Registry:
    """The model registry of a bucket.

    Example
    -------
    >>> registry = Registry(open_bucket("football_home/bucket"))
    >>> registry.fetch("production", Path("scratch"))
    """

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def publish(self, folder: Path, metadata: dict[str, Any]) -> int:
        """Store a bundle as a new version, or find the version that holds the same files already.

        Parameters
        ----------
        folder
            Flat folder of files with the suffixes of `SUFFIXES`.
        metadata
            JSON values to show beside the version; they are no part of its content.

        Returns
        -------
        int
            The version's number.

        Raises
        ------
        RegistryError
            The folder is empty or holds something that does not belong in a bundle.
        """
        contents = _read_bundle(folder)
        files = {name: BundleFile(_sha256(data), len(data)) for name, data in contents.items()}
        content = _content_digest(files)
        known = self.find(content)
        if known is not None:
            return known
        version = self._claim()
        for name, data in contents.items():
            self.bucket.write(f"{VERSIONS}{version}/{name}", data)
        manifest = Manifest(version, datetime.now(UTC), content, files, metadata)
        record = asdict(manifest) | {"published": manifest.published.isoformat()}
        self.bucket.write(f"{VERSIONS}{version}/{_MANIFEST}", _to_json(record), if_version=ABSENT)
        return version

    def versions(self) -> list[int]:
        """Numbers of all complete versions, ascending."""
        return sorted(number for number, name in self._listing() if name == _MANIFEST)

    def manifest(self, reference: int | str) -> Manifest:
        """What a version holds.

        Raises
        ------
        RegistryError
            There is no such version or alias, or its manifest is corrupt.
        """
        version = self.resolve(reference)
        name = f"{VERSIONS}{version}/{_MANIFEST}"
        try:
            record = json.loads(self.bucket.read(name))
            files = {name: BundleFile(**entry) for name, entry in record["files"].items()}
            published = datetime.fromisoformat(record["published"])
            manifest = Manifest(record["version"], published, record["content"], files, record["metadata"])
        except ObjectNotFound:
            raise RegistryError(self._no_version(version)) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RegistryError(
                f"{name} is corrupt ({error}): promote another version, or train again."
            ) from error
        foreign = [name for name in files if not _FILE_NAME.fullmatch(name)]
        if foreign or manifest.version != version or _content_digest(files) != manifest.content:
            raise RegistryError(
                f"{name} is corrupt: its digests do not agree. Promote another version, or train again."
            )
        return manifest

    def find(self, content: str) -> int | None:
        """The newest intact version whose files have this content digest, or None."""
        return next((version for version in reversed(self.versions()) if self._holds(version, content)), None)

    def resolve(self, reference: int | str) -> int:
        """The version's number that an alias, a number or its text stands for.

        Raises
        ------
        RegistryError
            The alias is unknown or not set.
        """
        if isinstance(reference, int) or _NUMBER.fullmatch(reference):
            return int(reference)
        if reference not in ALIASES:
            raise RegistryError(
                f"{reference!r} is no model version: give a number or one of {', '.join(ALIASES)}."
            )
        version = self.aliases().get(reference)
        if version is None:
            raise RegistryError(
                f"No model version is {reference!r} in {self.bucket.url}. {self._versions_text()}"
            )
        return version

    def fetch(self, reference: int | str, scratch: Path) -> Path:
        """A local folder with a version's files, every one checked against its digest.

        Parameters
        ----------
        reference
            A version's number or an alias.
        scratch
            Folder that keeps the copy; a second call finds it there.

        Raises
        ------
        RegistryError
            There is no such version, or a file of it is missing or corrupt.
        """
        manifest = self.manifest(reference)
        target = scratch / "registry" / f"{manifest.version}-{manifest.content[:16]}"
        if target.is_dir():
            if _first_corrupt(target, manifest) is None:
                return target
            shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
        try:
            for name, entry in manifest.files.items():
                (temporary / name).write_bytes(self._read_file(manifest.version, name, entry))
            try:
                temporary.rename(target)
            except OSError:  # another process fetched the same version meanwhile
                corrupt = _first_corrupt(target, manifest)
                if corrupt is not None:
                    raise RegistryError(
                        f"{target / corrupt} is corrupt: delete {target} and try again."
                    ) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return target

    def read(self, reference: int | str, name: str) -> bytes:
        """One file of a version, checked against its digest.

        Raises
        ------
        RegistryError
            There is no such version, or the file is not in it, missing or corrupt.
        """
        manifest = self.manifest(reference)
        if name not in manifest.files:
            raise RegistryError(
                f"Version {manifest.version} in {self.bucket.url} has no {name}: it holds {', '.join(manifest.files)}."
            )
        return self._read_file(manifest.version, name, manifest.files[name])

    def aliases(self) -> dict[str, int]:
        """The aliases that are set, of `production`, `candidate` and `previous`, with their versions."""
        state, _ = self._alias_state()
        values = {name: getattr(state, name) for name in ALIASES}
        return {name: version for name, version in values.items() if version is not None}

    def withdrawn(self) -> list[int]:
        """Versions that a rollback took out of production. The gate does not promote them again; a person may."""
        return self._alias_state()[0].withdrawn

    def set_alias(self, alias: str, version: int) -> None:
        """Point an alias at a complete version.

        Raises
        ------
        RegistryError
            There is no such alias or version.
        """
        if alias not in ALIASES:
            raise RegistryError(f"{alias!r} is no alias: use one of {', '.join(ALIASES)}.")
        self.manifest(version)
        self._change_aliases(lambda state: _AliasState(**(asdict(state) | {alias: version})))

    def promote(self, version: int) -> dict[str, int]:
        """Make a version production; what was production becomes previous.

        Returns
        -------
        dict
            The aliases afterwards.
        """
        self.manifest(version)
        self._change_aliases(lambda state: _promoted(state, version))
        return self.aliases()

    def promote_over(self, version: int, production: int | None) -> dict[str, int]:
        """Promote a version that was judged against `production` (None: there was none).

        Raises
        ------
        PreconditionFailed
            Another version is production by now: judge again.
        """
        self.manifest(version)

        def change(state: _AliasState) -> _AliasState:
            if state.production != production:
                raise PreconditionFailed(
                    f"Version {version} was judged against {production}, but production is {state.production} now: "
                    "judge it again."
                )
            return _promoted(state, version)

        self._change_aliases(change)
        return self.aliases()

    def rollback(self) -> dict[str, int]:
        """Make the previous version production again and mark the one it replaces as withdrawn.

        `previous` is empty afterwards, so that a second call cannot bring the withdrawn version back.

        Returns
        -------
        dict
            The aliases afterwards.

        Raises
        ------
        RegistryError
            There is no previous version.
        """

        def change(state: _AliasState) -> _AliasState:
            if state.previous is None or state.production is None:
                raise RegistryError(
                    f"There is no previous production version to roll back to in {self.bucket.url}: promote one by its "
                    f"number. {self._versions_text()}"
                )
            self.manifest(state.previous)
            withdrawn = sorted({*state.withdrawn, state.production} - {state.previous})
            return replace(state, production=state.previous, previous=None, withdrawn=withdrawn)

        self._change_aliases(change)
        return self.aliases()

    def record_decision(self, version: int, decision: dict[str, Any]) -> None:
        """Keep what the gate said of a version; its last word replaces the one before."""
        self.bucket.write(f"{DECISIONS}{version}.json", _to_json(decision))

    def decision(self, version: int) -> dict[str, Any] | None:
        """What the gate last said of a version, or None if it was never judged."""
        try:
            decision: dict[str, Any] = json.loads(self.bucket.read(f"{DECISIONS}{version}.json"))
        except ObjectNotFound:
            return None
        return decision

    def _listing(self) -> list[tuple[int, str]]:
        """Number and file name of every object under the versions, complete or not."""
        parts = (item.name.removeprefix(VERSIONS).split("/") for item in self.bucket.list(VERSIONS))
        return [(int(part[0]), part[1]) for part in parts if len(part) == 2 and _NUMBER.fullmatch(part[0])]

    def _holds(self, version: int, content: str) -> bool:
        try:
            manifest = self.manifest(version)
            if manifest.content != content:
                return False
            for name, entry in manifest.files.items():
                self._read_file(version, name, entry)
        except RegistryError:  # a corrupt version holds nothing that can be used
            return False
        return True

    def _claim(self) -> int:
        number = max((number for number, _ in self._listing()), default=0) + 1
        record = _to_json({"claimed": datetime.now(UTC).isoformat()})
        while True:  # each refusal means that another publisher has taken the number
            try:
                self.bucket.write(f"{VERSIONS}{number}/{_CLAIM}", record, if_version=ABSENT)
            except PreconditionFailed:
                number += 1
            else:
                return number

    def _read_file(self, version: int, name: str, entry: BundleFile) -> bytes:
        object_name = f"{VERSIONS}{version}/{name}"
        advice = f"version {version} cannot be used. Promote another version, or train again."
        try:
            data = self.bucket.read(object_name)
        except ObjectNotFound:
            raise RegistryError(f"{object_name} is missing in {self.bucket.url}: {advice}") from None
        if _sha256(data) != entry.sha256:
            raise RegistryError(f"{object_name} is corrupt in {self.bucket.url} (digest differs): {advice}")
        return data

    def _alias_state(self) -> tuple[_AliasState, str | None]:
        """The aliases, and the version of the object that says them (None: there is none)."""
        info = self.bucket.stat(ALIASES_OBJECT)
        if info is None:
            return _AliasState(), None
        # A write between the two calls leaves newer aliases with an older version: a change based on them is refused.
        text = self.bucket.read(ALIASES_OBJECT)
        try:
            return _AliasState(**json.loads(text)), info.version
        except (ValueError, TypeError) as error:
            raise RegistryError(
                f"{ALIASES_OBJECT} in {self.bucket.url} is corrupt ({error}): delete it and promote a version."
            ) from error

    def _change_aliases(self, change: Callable[[_AliasState], _AliasState]) -> None:
        for _ in range(_ATTEMPTS):
            state, object_version = self._alias_state()
            changed = change(state)
            if changed == state:
                return
            condition = ABSENT if object_version is None else object_version
            try:
                self.bucket.write(ALIASES_OBJECT, _to_json(asdict(changed)), if_version=condition)
            except PreconditionFailed:
                time.sleep(random.uniform(0, _PAUSE_SECONDS))
            else:
                return
        raise RegistryError(f"{ALIASES_OBJECT} in {self.bucket.url} changes all the time: try again later.")

    def _no_version(self, version: int) -> str:
        return f"There is no model version {version} in {self.bucket.url}. {self._versions_text()}"

    def _versions_text(self) -> str:
        versions = self.versions()
        if not versions:
            return "None was published yet: materialise the asset 'registered_model' first."
        shown = ", ".join(str(version) for version in versions[-5:])
        return f"Versions: {'…, ' if len(versions) > 5 else ''}{shown}."


def _promoted(state: _AliasState, version: int) -> _AliasState:
    withdrawn = [number for number in state.withdrawn if number != version]
    previous = state.previous if state.production == version else state.production
    return replace(state, production=version, previous=previous, withdrawn=withdrawn)


def _read_bundle(folder: Path) -> dict[str, bytes]:
    contents = {}
    for path in sorted(folder.iterdir()):
        known = path.suffix in SUFFIXES and path.name not in (_MANIFEST, _CLAIM)
        if not path.is_file() or not known or not _FILE_NAME.fullmatch(path.name):
            raise RegistryError(
                f"{path} does not belong in a model bundle: only files {', '.join(SUFFIXES)} do."
            )
        contents[path.name] = path.read_bytes()
    if not contents:
        raise RegistryError(f"{folder} is empty: a model bundle needs files.")
    return contents


def _first_corrupt(folder: Path, manifest: Manifest) -> str | None:
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.is_file() or _sha256(path.read_bytes()) != entry.sha256:
            return name
    return None


def _content_digest(files: dict[str, BundleFile]) -> str:
    return _sha256("".join(f"{name}\0{files[name].sha256}\n" for name in sorted(files)).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _to_json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, indent=1, ensure_ascii=False).encode()
