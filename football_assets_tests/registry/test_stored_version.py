"""A version that is exchanged while it is read: what is returned is one version as it was signed, or an error."""

import errno
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from model_signing import verifying

from football_assets.errors import RegistryError, SignatureError, SignaturePolicyError
from football_assets.registry import stored_version
from football_assets.registry.manifest import MANIFEST_FILE, SIGNATURE_FILE, Manifest, read_copy
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import SignatureStatus
from football_assets.registry.store import Registry
from football_assets.registry.stored_version import StoredVersion
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.exchanged_reads import exchange_after, replace_version, version_files
from football_assets_tests.builders.model_versions import small_bundle
from football_assets_tests.builders.recorded_reads import record_reads
from football_assets_tests.builders.signing_keys import KeyPair, make_key

READS = 4  # of a version that is verified: the manifest, the signature and two files


@pytest.fixture
def keys(tmp_path: Path) -> tuple[KeyPair, KeyPair]:
    """Two accepted keys."""
    return make_key(tmp_path / "keys", "one"), make_key(tmp_path / "keys", "two")


@pytest.fixture
def accepted(keys: tuple[KeyPair, KeyPair]) -> SignaturePolicy:
    return SignaturePolicy(verify_keys=tuple(key.public for key in keys))


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    return LocalBucket(tmp_path / "bucket")


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StoredVersion, "_signers", {})
    monkeypatch.setattr(StoredVersion, "_rejections", {})


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """An empty folder of accepted keys."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    return folder


@pytest.fixture
def trusting(bucket: LocalBucket, states: dict[str, dict[str, bytes]], trusted: Path) -> Registry:
    """The bucket with version 1, for a process that accepts the keys of the folder."""
    return Registry(bucket, SignaturePolicy(verify_keys=(trusted,)))


def publish(bucket: LocalBucket, folder: Path, text: str, policy: SignaturePolicy) -> dict[str, bytes]:
    """Publish version 1 in a bucket; returns its stored files."""
    bundle = small_bundle(folder / text, text)
    assert Registry(bucket, policy).publish(bundle, {"provenance": {"run_id": text}}) == 1
    return version_files(bucket, 1)


@pytest.fixture
def states(bucket: LocalBucket, keys: tuple[KeyPair, KeyPair], tmp_path: Path) -> dict[str, dict[str, bytes]]:
    """The stored version 1, and that of another bucket, each signed with a key of its own."""
    other = LocalBucket(tmp_path / "other")
    return {
        "own": publish(bucket, tmp_path / "bundles", "own", keys[0].signing),
        "other": publish(other, tmp_path / "bundles", "other", keys[1].signing),
    }


def text_of(files: Mapping[str, bytes]) -> str:
    """Text that both files of a small bundle have."""
    text: str = json.loads(files["metrics.json"])["text"]
    assert files["model.onnx"] == text.encode() * 1000
    return text


def copy_of(version: StoredVersion, scratch: Path) -> Path:
    """Folder of the only copy of a version."""
    (folder,) = (scratch / "registry").glob(f"{version.number}-{version.manifest.content[:16]}*")
    return folder


def described(version: StoredVersion, scratch: Path) -> tuple[str, str, str | None]:
    """Run of the provenance, text of all files, and signer of a version."""
    provenance = version.provenance
    assert provenance is not None
    text = text_of(version.load(scratch).files)
    assert text_of({name: version.read(name) for name in version.manifest.files}) == text
    assert text_of(read_copy(copy_of(version, scratch), version.manifest)) == text
    manifest = json.loads(version.signature_files()[MANIFEST_FILE])
    assert manifest["metadata"]["provenance"] == provenance
    return provenance["run_id"], text, version.signature().signed_by


@pytest.mark.parametrize("reads", range(READS + 2))
def test_a_version_exchanged_between_two_reads_is_one_of_both_or_an_error(
    bucket: LocalBucket,
    states: dict[str, dict[str, bytes]],
    accepted: SignaturePolicy,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    reads: int,
) -> None:
    expected = {}
    for name in ("other", "own"):
        replace_version(bucket, 1, states[name])
        expected[name] = described(Registry(bucket, accepted).open(1), tmp_path / name)
        assert expected[name][:2] == (name, name)
    assert expected["own"][2] != expected["other"][2]
    monkeypatch.setattr(StoredVersion, "_signers", {})
    names = exchange_after(bucket, monkeypatch, reads, lambda: replace_version(bucket, 1, states["other"]))

    try:
        found = described(Registry(bucket, accepted).open(1), tmp_path / "scratch")
    except RegistryError:
        assert 0 < reads < READS
        assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]
    else:
        assert found == expected["other" if reads == 0 else "own"]
        assert len(names) == READS


@pytest.mark.parametrize("name", ["metrics.json", "model.onnx"])
def test_the_bytes_that_were_verified_are_returned_though_the_object_has_changed_since(
    bucket: LocalBucket,
    states: dict[str, dict[str, bytes]],
    accepted: SignaturePolicy,
    tmp_path: Path,
    name: str,
) -> None:
    version = Registry(bucket, accepted).open(1)
    bucket.write(f"registry/versions/1/{name}", b"altered")

    assert version.read(name) == states["own"][name]
    assert version.load(tmp_path / "scratch").read(name) == states["own"][name]


def test_a_file_that_is_altered_after_a_later_process_opened_the_version_is_an_error(
    bucket: LocalBucket, states: dict[str, dict[str, bytes]], accepted: SignaturePolicy, tmp_path: Path
) -> None:
    """A process that has verified a version before does not read its files when it is opened."""
    registry = Registry(bucket, accepted)
    registry.open(1)
    version = registry.open(1)
    bucket.write("registry/versions/1/model.onnx", b"altered")

    assert version.read("metrics.json") == states["own"]["metrics.json"]
    with pytest.raises(RegistryError, match=r"versions/1/model\.onnx is corrupt"):
        version.load(tmp_path / "scratch")


def test_a_copy_that_is_altered_after_it_was_checked_does_not_change_what_was_loaded(
    bucket: LocalBucket, states: dict[str, dict[str, bytes]], accepted: SignaturePolicy, tmp_path: Path
) -> None:
    version = Registry(bucket, accepted).open(1)
    loaded = version.load(tmp_path)
    folder = copy_of(version, tmp_path)
    (folder / "model.onnx").write_bytes(b"altered")

    assert text_of(loaded.files) == "own"
    assert version.load(tmp_path).files == loaded.files
    assert (folder / "model.onnx").read_bytes() == states["own"]["model.onnx"]


@pytest.mark.parametrize("is_corrupt", [False, True], ids=["no copy before", "a corrupt copy before"])
def test_a_copy_that_another_process_has_finished_meanwhile_stays_whole(
    bucket: LocalBucket,
    states: dict[str, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    is_corrupt: bool,
) -> None:
    """The other process copies the version after this one has found no intact copy."""
    scratch = tmp_path / "scratch"
    other = Registry(LocalBucket(bucket.root), SignaturePolicy()).open(1)
    version = Registry(bucket, SignaturePolicy()).open(1)
    if is_corrupt:
        other.load(scratch)
        (copy_of(other, scratch) / "model.onnx").write_bytes(b"altered")
    stored: list[Path] = []

    def copied_meanwhile(folder: Path, manifest: Manifest) -> dict[str, bytes]:
        monkeypatch.setattr(stored_version, "read_copy", read_copy)
        try:
            return read_copy(folder, manifest)
        finally:
            assert text_of(other.load(scratch).files) == "own"
            stored.append(copy_of(other, scratch))

    def the_other_copy_is_whole() -> None:
        read_copy(stored[0], other.manifest)

    monkeypatch.setattr(stored_version, "read_copy", copied_meanwhile)
    names = exchange_after(bucket, monkeypatch, 0, the_other_copy_is_whole)

    assert text_of(version.load(scratch).files) == "own"
    assert len(names) == 2
    assert text_of(read_copy(stored[0], other.manifest)) == "own"
    assert [path.name for path in (scratch / "registry").iterdir()] == [stored[0].name]


def test_verified_files_are_returned_though_the_copy_of_another_process_is_corrupt(
    bucket: LocalBucket, states: dict[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The copy is stored and altered while this process reads the bucket, and is replaced."""
    other = Registry(LocalBucket(bucket.root), SignaturePolicy()).open(1)
    version = Registry(bucket, SignaturePolicy()).open(1)

    def store_and_alter() -> None:
        other.load(tmp_path)
        folder = copy_of(other, tmp_path)
        (folder / "model.onnx").write_bytes(b"altered")
        (folder / "metrics.json").unlink()
        (folder / "metrics.json").mkdir()

    exchange_after(bucket, monkeypatch, 1, store_and_alter)

    assert text_of(version.load(tmp_path).files) == "own"
    assert text_of(read_copy(copy_of(version, tmp_path), version.manifest)) == "own"


def test_a_version_that_was_loaded_before_is_read_from_the_copy(
    bucket: LocalBucket,
    states: dict[str, dict[str, bytes]],
    accepted: SignaturePolicy,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    Registry(bucket, accepted).open(1).load(tmp_path)
    reads = record_reads(bucket, monkeypatch)

    assert text_of(Registry(bucket, accepted).open(1).load(tmp_path).files) == "own"
    assert [name.rpartition("/")[2] for name in reads] == [MANIFEST_FILE, SIGNATURE_FILE]


def test_accepted_keys_are_read_once_for_a_load_and_again_for_the_next(
    keys: tuple[KeyPair, KeyPair],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    trusted: Path,
    trusting: Registry,
) -> None:
    shutil.copy(keys[0].public, trusted / "key.pem")
    read, reads = Path.read_bytes, []

    def recorded(path: Path) -> bytes:
        if path.parent == trusted:
            reads.append(path.name)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", recorded)

    described(trusting.open(1), tmp_path / "scratch")
    assert reads == ["key.pem"]
    trusting.open(1)
    assert reads == ["key.pem"] * 2

    shutil.copy(keys[1].public, trusted / "key.pem")
    with pytest.raises(SignatureError, match="not an accepted one"):
        trusting.open(1)


def test_a_signer_is_remembered_for_the_keys_that_it_was_verified_with(
    bucket: LocalBucket,
    keys: tuple[KeyPair, KeyPair],
    monkeypatch: pytest.MonkeyPatch,
    trusted: Path,
    trusting: Registry,
) -> None:
    """A key that is accepted during a verification only does not open the version later."""
    shutil.copy(keys[1].public, trusted / "two.pem")
    exchange_after(bucket, monkeypatch, 1, lambda: shutil.copy(keys[0].public, trusted / "one.pem"))

    with pytest.raises(SignatureError, match="not an accepted one"):
        trusting.open(1)
    assert trusting.open(1).signature().status is SignatureStatus.VERIFIED
    (trusted / "one.pem").unlink()
    with pytest.raises(SignatureError, match="not an accepted one"):
        trusting.open(1)


def test_a_rejected_version_is_not_read_again_until_an_accepted_key_or_its_signature_changes(
    bucket: LocalBucket,
    states: dict[str, dict[str, bytes]],
    keys: tuple[KeyPair, KeyPair],
    monkeypatch: pytest.MonkeyPatch,
    trusted: Path,
    trusting: Registry,
) -> None:
    shutil.copy(keys[1].public, trusted / "two.pem")
    reads = record_reads(bucket, monkeypatch)

    def rejected() -> tuple[int, str]:
        """Number of the reads, and the message."""
        reads.clear()
        with pytest.raises(SignatureError, match="version 1 .* is rejected.*not an accepted one") as error:
            trusting.open(1)
        return len(reads), str(error.value)

    first, again = rejected(), rejected()
    assert (first[0], again[0]) == (READS, 2)  # later, the manifest and the signature
    assert again[1] == first[1]

    shutil.copy(keys[0].public, trusted / "one.pem")
    assert trusting.open(1).signature().status is SignatureStatus.VERIFIED
    (trusted / "one.pem").unlink()
    assert rejected() == again

    replace_version(bucket, 1, states["other"])
    assert trusting.open(1).signature().status is SignatureStatus.VERIFIED


def test_a_version_that_could_not_be_verified_once_is_not_rejected(
    bucket: LocalBucket,
    states: dict[str, dict[str, bytes]],
    accepted: SignaturePolicy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk is full while model-signing verifies."""
    registry = Registry(bucket, accepted)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(verifying.Config, "verify", full)
        with pytest.raises(SignaturePolicyError, match="cannot be verified: No space left on device"):
            registry.open(1)
    assert registry.open(1).signature().status is SignatureStatus.VERIFIED


def test_without_a_policy_a_version_that_is_exchanged_while_it_is_read_is_an_error(
    bucket: LocalBucket,
    states: dict[str, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    exchange_after(bucket, monkeypatch, 1, lambda: replace_version(bucket, 1, states["other"]))

    with pytest.raises(RegistryError, match=r"metrics\.json is corrupt .*digest differs"):
        Registry(bucket, SignaturePolicy()).open(1).load(tmp_path / "scratch")


def test_a_file_that_the_version_does_not_have_is_named(
    bucket: LocalBucket, states: dict[str, dict[str, bytes]], accepted: SignaturePolicy, tmp_path: Path
) -> None:
    version = Registry(bucket, accepted).open(1)

    with pytest.raises(
        RegistryError, match=r"Version 1 in .* has no spec\.json: it holds metrics\.json, mod"
    ):
        version.read("spec.json")
    with pytest.raises(RegistryError, match=r"Model bundle version 1 in .* has no spec\.json"):
        version.load(tmp_path / "scratch").read("spec.json")
