"""Import the model that is linked as `production` in the W&B registry as a version, and promote it.

The artifact is not trusted. Only the files of a bundle are imported, each verified against its digest in W&B, and none
of their formats contains code. Where signatures are verified, that of the artifact must be valid too; the imported
version is then signed with the key of this process. A linked version is imported once, so that a later rollback is not
undone.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from football_assets.errors import ObjectNotFound, RegistryError, SignatureError
from football_assets.registry.manifest import MANIFEST_FILE, SIGNATURE_FILE
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.provenance import PROVENANCE
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import verify_files
from football_assets.registry.store import Registry
from football_assets.storage.model_files import MODEL_INT8

FOLLOWED_OBJECT = "registry/wandb.json"
COLLECTION = "wandb-registry-model/football-forecaster"
ALIAS = "production"
MAX_BYTES = 2 << 30
_TIMEOUT_SECONDS = 15


class LinkedModel(Protocol):
    """A model version in another registry."""

    @property
    def name(self) -> str:
        """The unique name of this version."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of its files, by name."""

    def download(self, folder: Path) -> None:
        """Place its files in an empty folder, each checked against its digest."""


class LinkedModels(Protocol):
    """A model registry other than the project's own."""

    def production(self) -> LinkedModel | None:
        """Return the version that is linked as production, if one is."""


def follow_linked(registry: Registry, models: LinkedModels, scratch: Path) -> int | None:
    """Import the linked production version and promote it; return its number, or None if it was imported before.

    Raises
    ------
    RegistryError
        The linked version is not a model bundle of this project.
    SignatureError
        Signatures are verified, and that of the artifact is not valid.
    SignaturePolicyError
        Signatures are verified, and this process cannot verify the artifact or sign a new version.
    """
    linked = models.production()
    if linked is None or linked.name == _followed(registry):
        return None
    _check_files(linked)
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as temporary:
        folder = Path(temporary)
        linked.download(folder)
        from football_assets.registry.bundle import check_bundle

        if {item.name for item in folder.iterdir()} != set(linked.sizes):
            raise RegistryError(
                f"{linked.name} was downloaded without all the files that it lists: link it again."
            )
        bundle, origin = _verified_bundle(folder, linked, registry.policy)
    check_bundle(bundle)
    version = registry.publish(bundle, {"source": linked.name} | origin)
    registry.promote(version)
    registry.bucket.write(FOLLOWED_OBJECT, json.dumps({"name": linked.name, "version": version}).encode())
    return version


class WandbRegistry:
    """The model registry of W&B, queried with WANDB_API_KEY."""

    def production(self) -> LinkedModel | None:
        """Return the artifact version with the alias `production`.

        Raises
        ------
        RegistryError
            The request to W&B fails.
        """
        import wandb

        path = f"{COLLECTION}:{ALIAS}"
        try:
            api = wandb.Api(timeout=_TIMEOUT_SECONDS)
            return (
                _WandbModel(api.artifact(path, type="model")) if api.artifact_exists(path, "model") else None
            )
        except Exception as error:  # the client raises errors of many kinds
            raise RegistryError(
                f"The request of {path} from W&B failed: {' '.join(str(error).split())[:200]}"
            ) from error


class _WandbModel:
    def __init__(self, artifact: Any) -> None:
        self._artifact = artifact

    @property
    def name(self) -> str:
        return f"{self._artifact.source_qualified_name} {self._artifact.digest}"

    @property
    def sizes(self) -> Mapping[str, int]:
        # W&B fetches a reference from its own address, so it gets a name that a bundle may not have.
        entries = self._artifact.manifest.entries.values()
        return {
            entry.path if entry.ref is None else f"{entry.path} from {entry.ref}": entry.size or 0
            for entry in entries
        }

    def download(self, folder: Path) -> None:
        try:
            self._artifact.download(root=str(folder), skip_cache=True, allow_missing_references=False)
            self._artifact.verify(root=str(folder))
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise RegistryError(f"{self.name} could not be fetched from W&B: {reason}") from error


def _verified_bundle(
    folder: Path, linked: LinkedModel, policy: SignaturePolicy
) -> tuple[ModelBundle, dict[str, Any]]:
    """Read a downloaded artifact, each file once; return its bundle, and its provenance if signatures are verified."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    signature, manifest = files.pop(SIGNATURE_FILE, None), files.pop(MANIFEST_FILE, None)
    bundle = ModelBundle(files, linked.name)
    if not policy.verifies:
        return bundle, {}
    if signature is None or manifest is None:
        raise SignatureError(f"{linked.name} is not signed: link a version that was logged with a signature.")
    try:
        verify_files({**files, MANIFEST_FILE: manifest}, signature, policy.accepted())
    except SignatureError as error:
        raise SignatureError(f"{linked.name} is rejected. {error}") from error
    metadata = json.loads(manifest)["metadata"]
    return bundle, {PROVENANCE: metadata[PROVENANCE]} if PROVENANCE in metadata else {}


def _check_files(linked: LinkedModel) -> None:
    from football_assets.registry.bundle import REQUIRED

    given = set(linked.sizes)
    missing, foreign = set(REQUIRED) - given, given - {*REQUIRED, MODEL_INT8, MANIFEST_FILE, SIGNATURE_FILE}
    if missing or foreign:
        lacks = f" It lacks {', '.join(sorted(missing))}." if missing else ""
        holds = f" It holds {', '.join(sorted(foreign))}." if foreign else ""
        raise RegistryError(
            f"{linked.name} is not a model bundle.{lacks}{holds} Link one that this project logged."
        )
    if sum(linked.sizes.values()) > MAX_BYTES:
        raise RegistryError(
            f"{linked.name} has more than {MAX_BYTES >> 30} GiB, the limit of a model bundle. Link one that this "
            "project logged."
        )


def _followed(registry: Registry) -> str | None:
    try:
        name: str = json.loads(registry.bucket.read(FOLLOWED_OBJECT))["name"]
    except (ObjectNotFound, ValueError, KeyError):
        return None
    return name
