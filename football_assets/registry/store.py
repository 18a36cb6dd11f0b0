"""The model registry of a bucket: versions, aliases and the gate's decisions.

`registry/versions/` holds immutable versions (`football_assets.registry.versions`), `registry/aliases.json` says which
of them is `production`, `candidate` and `previous` (`football_assets.registry.aliases`), `registry/decisions/` holds
the gate's last decision about each. The asset graph publishes; forecasts, serving and the command line read.

Four things have a version, and four words tell them apart: the *version* (or its number) is a model version of this
registry; an object of the bucket has a *generation*; a file format has a *format version* (`FeatureSpec.version`); a
library has a *release*.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from football_assets.errors import PreconditionFailed, RegistryError
from football_assets.registry.aliases import ALIASES, ALIASES_OBJECT, AliasState, AliasStore
from football_assets.registry.decisions import DECISIONS, DecisionStore
from football_assets.registry.manifest import SUFFIXES, BundleFile, Manifest
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import ModelSignature
from football_assets.registry.stored_version import VERSIONS, StoredVersion
from football_assets.registry.versions import NUMBER, ModelVersions
from football_assets.settings import get_settings
from football_assets.storage.bucket import Bucket

__all__ = [
    "ALIASES",
    "ALIASES_OBJECT",
    "DECISIONS",
    "SUFFIXES",
    "VERSIONS",
    "BundleFile",
    "Manifest",
    "Registry",
]

_Read = TypeVar("_Read")


class Registry:
    """The model registry of a bucket.

    Parameters
    ----------
    bucket
        Holds the versions.
    policy
        How versions are signed and verified; None: as the environment's settings say.

    Example
    -------
    >>> registry = Registry(open_bucket("football_home/bucket"))
    >>> registry.open("production").load(Path("scratch"))
    """

    def __init__(self, bucket: Bucket, policy: SignaturePolicy | None = None) -> None:
        self.bucket = bucket
        if policy is None:
            policy = SignaturePolicy.from_settings(get_settings())
        self.policy = policy
        self._versions = ModelVersions(bucket, policy)
        self._aliases = AliasStore(bucket)
        self._decisions = DecisionStore(bucket)

    def publish(self, bundle: Path | ModelBundle, metadata: dict[str, Any]) -> int:
        """Store a bundle as a new version, or return the version that holds the same files already.

        Parameters
        ----------
        bundle
            Flat folder of files with the suffixes of `SUFFIXES`, or their content.
        metadata
            JSON values to show beside the version; they are no part of its content.

        Returns
        -------
        int
            The version's number.

        Raises
        ------
        RegistryError
            The folder is empty or holds a file that does not belong in a bundle, or the bucket rejects every claim of a
            number.
        SignaturePolicyError
            The version cannot be signed, or only signed versions are accepted and this process does not sign.
        """
        return self._versions.publish(bundle, metadata)

    def versions(self) -> list[int]:
        """Return the numbers of all complete versions, ascending."""
        return self._versions.numbers()

    def manifest(self, reference: int | str) -> Manifest:
        """Read the manifest of a version without verifying its signature.

        Raises
        ------
        RegistryError
            There is no such version or alias, or its manifest is corrupt.
        """
        return self._versions.manifest(self.resolve(reference))

    def open(self, reference: int | str) -> StoredVersion:
        """Open a version, whose signature is verified where the policy verifies.

        Manifest, provenance, signature and files of the result belong together. Two calls may return two states of the
        bucket: a caller that needs several of them opens the version once.

        Raises
        ------
        RegistryError
            There is no such version or alias, or its manifest is corrupt.
        SignatureError
            Signatures are verified, and no accepted signer has signed the version.
        SignaturePolicyError
            Signatures are verified, and this process cannot.
        """
        return self._versions.open(self.resolve(reference))

    def newest_first(self, read: Callable[[StoredVersion], _Read]) -> Iterator[tuple[int, _Read]]:
        """Yield the number of each version, the newest first, with what `read` returns for it.

        Versions that are corrupt, or not signed where signatures are verified, are left out.

        Raises
        ------
        SignaturePolicyError
            Signatures are verified, and this process cannot: every version would be left out.
        """
        for number in reversed(self.versions()):
            try:
                found = read(self.open(number))
            except RegistryError:
                continue
            yield number, found

    def find(self, content: str) -> int | None:
        """Return the newest intact version whose files have this content digest, or None."""
        return self._versions.find(content)

    def resolve(self, reference: int | str) -> int:
        """Return the version number of an alias, a number or a number's text.

        Raises
        ------
        RegistryError
            The alias is unknown or not set.
        """
        if isinstance(reference, int) or NUMBER.fullmatch(reference):
            return int(reference)
        if reference not in ALIASES:
            raise RegistryError(
                f"{reference!r} is not a model version: give a number or one of {', '.join(ALIASES)}."
            )
        number = self.aliases().get(reference)
        if number is None:
            raise RegistryError(
                f"No model version is {reference!r} in {self.bucket.url}. {self._versions.describe()}"
            )
        return number

    def read(self, reference: int | str, name: str) -> bytes:
        """Read one file of a version, checked against its digest.

        Raises
        ------
        RegistryError
            There is no such version, or the file is not in it, missing or corrupt.
        SignatureError
            Signatures are verified, and no accepted signer has signed the version.
        SignaturePolicyError
            Signatures are verified, and this process cannot.
        """
        return self.open(reference).read(name)

    def signature(self, reference: int | str) -> ModelSignature:
        """Return the status of a version's signature: verified if the policy verifies, else whether there is one.

        Raises
        ------
        RegistryError
            There is no such version, or its manifest is corrupt.
        SignatureError
            Signatures are verified, and no accepted signer has signed the version.
        SignaturePolicyError
            Signatures are verified, and this process cannot.
        """
        return self.open(reference).signature()

    def sign(self, reference: int | str) -> ModelSignature:
        """Sign a stored version, whose digests are checked first, with the key of this process.

        An earlier signature is replaced if it is valid, as after a change of keys.

        Raises
        ------
        RegistryError
            There is no such version, or a file of it is missing or corrupt.
        SignatureError
            The earlier signature is not valid.
        SignaturePolicyError
            The version cannot be signed.
        """
        return self._versions.sign(self.resolve(reference))

    def aliases(self) -> dict[str, int]:
        """Return the aliases that are set, of `production`, `candidate` and `previous`, with their versions."""
        return self._aliases.read().numbers()

    def withdrawn(self) -> list[int]:
        """Return the versions that a rollback took out of production.

        The gate does not promote them again; a person may.
        """
        return self._aliases.read().withdrawn

    def set_alias(self, alias: str, version: int) -> None:
        """Point an alias at a complete version.

        Raises
        ------
        RegistryError
            There is no such alias or version.
        """
        if alias not in ALIASES:
            raise RegistryError(f"{alias!r} is not an alias: use one of {', '.join(ALIASES)}.")
        check = self.open if alias == "production" else self.manifest
        self._aliases.change_while(lambda: check(version), lambda state: state.with_alias(alias, version))

    def promote(self, version: int) -> dict[str, int]:
        """Make a version production; the production version becomes previous.

        Returns
        -------
        dict
            The aliases afterwards.

        Raises
        ------
        RegistryError
            There is no such version, or its signature is required and not valid.
        """
        self._aliases.change_while(lambda: self.open(version), lambda state: state.promoted(version))
        return self.aliases()

    def promote_over(self, judged: StoredVersion, production: int | None) -> dict[str, int]:
        """Promote a version that was judged against `production` (None: there was none).

        Raises
        ------
        PreconditionFailed
            Another version is production by now: judge again.
        RegistryError
            The version is not there any more, or its manifest is not the one that was judged.
        """
        version = judged.number

        def check() -> None:
            if self.open(version).manifest_text != judged.manifest_text:
                raise RegistryError(
                    f"Version {version} in {self.bucket.url} has changed since it was evaluated: evaluate it again."
                )

        def change(state: AliasState) -> AliasState:
            if state.production != production:
                raise PreconditionFailed(
                    f"Version {version} was compared with {production}, but production is {state.production} now: "
                    "evaluate it again."
                )
            return state.promoted(version)

        self._aliases.change_while(check, change)
        return self.aliases()

    def rollback(self) -> dict[str, int]:
        """Make the previous version production again and mark the version that it replaces as withdrawn.

        `previous` is empty afterwards, so that a second call cannot restore the withdrawn version.

        Returns
        -------
        dict
            The aliases afterwards.

        Raises
        ------
        RegistryError
            There is no previous version.
        """

        def change(state: AliasState) -> AliasState:
            if state.previous is None or state.production is None:
                raise RegistryError(
                    f"There is no previous production version to roll back to in {self.bucket.url}: promote one by its "
                    f"number. {self._versions.describe()}"
                )
            self.open(state.previous)
            return state.rolled_back_to(state.previous)

        self._aliases.change(change)
        return self.aliases()

    def remove(self, version: int, needed: Callable[[], Iterable[int]] = tuple) -> bool:
        """Remove a version that no alias names and no rollback withdrew; return False if one does.

        The manifest goes first, since a version exists once its manifest does. If an alias is set meanwhile, the
        manifest is written again; an alias that is set after that finds no manifest and is taken back.

        Parameters
        ----------
        needed
            Reads the versions that stay for other reasons. It is called before and after the manifest is removed.
        """

        def named() -> set[int]:
            return {*self._named(), *needed()}

        return version not in named() and self._versions.remove(version, named)

    def restore(self, version: int) -> bool:
        """Restore a version whose removal was cut off before any file but its manifest had gone.

        Returns
        -------
        bool
            Whether this call did. False: the version is complete, or not there.
        """
        return self._versions.restore(version)

    def _named(self) -> set[int]:
        state = self._aliases.read()
        return {*state.numbers().values(), *state.withdrawn}

    def record_decision(self, version: int, decision: dict[str, Any]) -> None:
        """Store the gate's decision about a version in place of the one before."""
        self._decisions.write(version, decision)

    def decision(self, version: int) -> dict[str, Any] | None:
        """Return the gate's last decision about a version, or None if there is none.

        Raises
        ------
        RegistryError
            The decision is corrupt.
        """
        return self._decisions.read(version)
