"""The manifest of a model version: which files it holds, with size and digest."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from football_assets.errors import RegistryError

MANIFEST_FILE = "manifest.json"
REMOVED_FILE = "manifest.removed.json"  # the manifest of a version that is being removed
CLAIM_FILE = "claim.json"
SIGNATURE_FILE = "model.sig"
OWN_FILES = (MANIFEST_FILE, REMOVED_FILE, CLAIM_FILE, SIGNATURE_FILE)
"""Files of the registry beside those of the bundle."""

SUFFIXES = (
    ".json",
    ".md",
    ".onnx",
    ".parquet",
    ".png",
    ".safetensors",
)  # formats that hold no code: no pickle is loaded anywhere

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class BundleFile:
    """One file of a model version. `bytes` is its size."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """The contents of a model version.

    `published` is in UTC; `content` is the digest of all files, independent of `metadata`.
    """

    version: int
    published: datetime
    content: str
    files: dict[str, BundleFile]
    metadata: dict[str, Any]

    def to_json(self) -> bytes:
        """Serialise the manifest."""
        return to_json(asdict(self) | {"published": self.published.isoformat()})

    @classmethod
    def from_json(cls, text: bytes, version: int) -> "Manifest":
        """Parse the manifest of a model version.

        Raises
        ------
        ValueError
            The text is not a manifest of that version, a file name does not belong in a bundle, or the digests do not
            agree.
        """
        try:
            record = json.loads(text)
            files = {name: BundleFile(**entry) for name, entry in record["files"].items()}
            published = datetime.fromisoformat(record["published"])
            manifest = cls(record["version"], published, record["content"], files, record["metadata"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"is corrupt ({error}): promote another version, or train again.") from error
        foreign = [name for name in files if not is_bundle_file(name)]
        if foreign:
            raise ValueError(
                f"is not usable: it names {foreign[0]!r}, which does not belong in a model bundle. Promote another "
                "version, or train again."
            )
        if manifest.version != version or content_digest(files) != manifest.content:
            raise ValueError("is corrupt: its digests do not agree. Promote another version, or train again.")
        return manifest


def is_bundle_file(name: str) -> bool:
    """Tell whether a bundle may have a file of this name: a plain name with one of `SUFFIXES`, without folders."""
    return bool(_FILE_NAME.fullmatch(name)) and name.endswith(SUFFIXES) and name not in OWN_FILES


def read_bundle_files(folder: Path) -> dict[str, bytes]:
    """Read the files of a bundle folder, by name.

    Raises
    ------
    RegistryError
        The folder is empty or holds a file that does not belong in a bundle.
    """
    contents = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or not is_bundle_file(path.name):
            raise RegistryError(
                f"{path} does not belong in a model bundle: only files {', '.join(SUFFIXES)} do."
            )
        contents[path.name] = path.read_bytes()
    if not contents:
        raise RegistryError(f"{folder} is empty: a model bundle needs files.")
    return contents


def read_copy(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """Read a local copy of a version, each file once and checked against its digest.

    Raises
    ------
    RegistryError
        A file is missing or differs from its digest.
    """
    contents = {}
    for name, entry in manifest.files.items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else None
        if content is None or sha256(content) != entry.sha256:
            raise RegistryError(f"{path} is corrupt: delete {folder} and try again.")
        contents[name] = content
    return contents


def content_digest(files: dict[str, BundleFile]) -> str:
    """Return one digest of all files: equal for equal names and contents."""
    return sha256("".join(f"{name}\0{files[name].sha256}\n" for name in sorted(files)).encode())


def sha256(data: bytes) -> str:
    """Return the SHA-256 digest as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


def to_json(record: dict[str, Any]) -> bytes:
    """Serialise a record as the registry stores it."""
    return json.dumps(record, indent=1, ensure_ascii=False).encode()
