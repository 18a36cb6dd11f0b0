"""Signed model versions: an altered one is rejected by the registry and by the gate, before anything is loaded."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from football_assets.errors import RegistryError, SignatureError, SignaturePolicyError
from football_assets.registry.aliases import AliasState
from football_assets.registry.config import GateConfig
from football_assets.registry.manifest import MANIFEST_FILE, SIGNATURE_FILE
from football_assets.registry.promotion import PromotionOutcome, Verdict, judge_and_promote
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import ModelSignature, SignatureStatus
from football_assets.registry.store import VERSIONS, Registry
from football_assets.registry.stored_version import StoredVersion
from football_assets.registry.versions import ModelVersions
from football_assets.storage.bucket import Bucket
from football_assets.storage.local import LocalBucket
from football_assets.storage.model_files import FEATURE_SPEC, MODEL_CARD
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.altered_versions import (
    ALTERATIONS,
    STORED_FILES,
    Alteration,
    flip_byte,
    force_production,
    stored_files,
)
from football_assets_tests.builders.model_versions import published, small_bundle
from football_assets_tests.builders.recorded_reads import record_reads
from football_assets_tests.builders.registry_graph import SimulatedFolders, simulated_bundle
from football_assets_tests.builders.signing_keys import KeyPair, make_key

Judge = Callable[[Registry, int], Verdict]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed_home(tmp_path_factory: pytest.TempPathFactory, key: KeyPair) -> Path:
    """A home whose bucket has two signed versions of the simulated bundle: read it, do not write."""
    home = tmp_path_factory.mktemp("signed")
    bundle = Path(shutil.copytree(simulated_bundle(tmp_path_factory), home / "bundle"))
    registry = Registry(LocalBucket(home / "bucket"), key.signing)
    assert registry.publish(bundle, {"provenance": {"run_id": "first"}}) == 1
    (bundle / MODEL_CARD).write_text("# The second\n")
    assert registry.publish(bundle, {"provenance": {"run_id": "second"}}) == 2
    return home


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    return LocalBucket(tmp_path / "bucket")


@pytest.fixture
def signed(signed_home: Path, bucket: LocalBucket, key: KeyPair) -> Registry:
    """The two signed versions, to be altered."""
    shutil.copytree(signed_home / "bucket" / "registry", bucket.root / "registry", copy_function=os.link)
    return Registry(bucket, key.signing)


@pytest.fixture
def judge(folders: SimulatedFolders, tmp_path: Path) -> Judge:
    def run(registry: Registry, version: int) -> Verdict:
        tensors = folders.sequence_tensors
        return judge_and_promote(registry, version, tensors, GateConfig(), tmp_path / "judged")

    return run


def test_a_signed_version_passes_the_gate_and_has_a_verified_signer(
    signed: Registry, bucket: LocalBucket, key: KeyPair, judge: Judge, tmp_path: Path
) -> None:
    assert stored_files(bucket, 2) == set(STORED_FILES)
    reader = Registry(bucket, key.verifying)

    assert judge(reader, 2).outcome is PromotionOutcome.PROMOTED
    assert reader.open(2).load(tmp_path / "scratch").files
    signature = reader.signature("production")
    assert signature.status is SignatureStatus.VERIFIED
    assert str(signature.signed_by).startswith("key ")


@pytest.mark.parametrize("alteration", ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_version_is_never_returned_and_rejected_by_the_gate(
    signed: Registry, bucket: LocalBucket, key: KeyPair, judge: Judge, alteration: Alteration, tmp_path: Path
) -> None:
    alteration(bucket, 2)
    reader = Registry(bucket, key.verifying)

    with pytest.raises(RegistryError):
        reader.open(2).load(tmp_path / "scratch")
    with pytest.raises(RegistryError):
        reader.read(2, FEATURE_SPEC)
    with pytest.raises(RegistryError):
        reader.promote(2)
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]
    verdict = judge(reader, 2)
    assert verdict.outcome is PromotionOutcome.REJECTED
    assert verdict.decision.refusals[0].startswith("The candidate cannot be used: ")
    assert "production" not in reader.aliases()
    decision = reader.decision(2)
    assert decision is not None
    assert decision["refusals"] == verdict.decision.refusals


def test_metadata_are_returned_as_trusted_only_if_the_signature_covers_them(
    signed: Registry, bucket: LocalBucket, key: KeyPair
) -> None:
    reader = Registry(bucket, key.verifying)
    assert reader.open(2).manifest.metadata == {"provenance": {"run_id": "second"}}

    ALTERATIONS["the provenance"](bucket, 2)

    with pytest.raises(SignatureError, match="Model version 2 .* is rejected"):
        reader.open(2)
    altered = Registry(bucket, SignaturePolicy()).open(2).manifest
    assert altered.metadata == {"provenance": {"run_id": "another"}}


@pytest.mark.parametrize("alteration", ["one byte of model.onnx", "the provenance", "no model.sig"])
def test_a_version_that_is_altered_after_it_was_verified_is_rejected(
    signed: Registry, bucket: LocalBucket, key: KeyPair, alteration: str, tmp_path: Path
) -> None:
    reader = Registry(bucket, key.verifying)
    reader.open(2).load(tmp_path / "scratch")
    reader.read(2, "model.onnx")

    ALTERATIONS[alteration](bucket, 2)

    with pytest.raises(RegistryError):
        reader.read(2, "model.onnx")


def test_a_version_signed_with_another_key_or_not_at_all_is_rejected_with_the_reason(
    bucket: LocalBucket, key: KeyPair, bundle: Path, judge: Judge, tmp_path: Path
) -> None:
    Registry(bucket, SignaturePolicy()).publish(bundle, {})
    (bundle / MODEL_CARD).write_text("# Of another key\n")
    Registry(bucket, make_key(tmp_path, "other").signing).publish(bundle, {})
    reader = Registry(bucket, key.verifying)

    for version, reason in ((1, "Model version 1 in .* is not signed"), (2, "which is not an accepted one")):
        with pytest.raises(SignatureError, match=reason):
            reader.open(version).load(tmp_path / "scratch")
        verdict = judge(reader, version)
        assert verdict.outcome is PromotionOutcome.REJECTED
        with pytest.raises(SignatureError, match=reason):
            raise SignatureError(verdict.decision.refusals[0])


def test_the_version_before_is_not_restored_if_it_is_not_signed(
    signed: Registry, bucket: LocalBucket, key: KeyPair
) -> None:
    signed.promote(1)
    signed.promote(2)
    bucket.delete(f"{VERSIONS}1/{SIGNATURE_FILE}")

    with pytest.raises(SignatureError, match="Model version 1 .* is not signed"):
        Registry(bucket, key.verifying).rollback()
    assert signed.aliases() == {"production": 2, "previous": 1}


@pytest.fixture
def any_bucket(bucket_url: str) -> Bucket:
    return open_bucket(bucket_url)


def test_versions_without_signature_are_read_where_no_key_is_configured(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    registry = Registry(any_bucket, SignaturePolicy())
    published(registry, tmp_path, 2)
    assert registry.signature(1) == ModelSignature(SignatureStatus.UNSIGNED)
    with pytest.raises(RegistryError, match="no model version 9"):
        registry.signature(9)

    Registry(any_bucket, key.signing).sign(2)

    assert registry.signature(2) == ModelSignature(SignatureStatus.UNVERIFIED)
    for version in (1, 2):
        assert registry.open(version).load(tmp_path / "scratch").files
        assert registry.read(version, "model.onnx")


def test_a_stored_version_is_signed_and_signed_again_with_the_next_key(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    published(Registry(any_bucket, SignaturePolicy()), tmp_path, 1)
    new = make_key(tmp_path, "new")
    exchange = SignaturePolicy(signing_key=new.private, verify_keys=(key.public, new.public))

    old = Registry(any_bucket, key.signing).sign(1)
    assert Registry(any_bucket, exchange).signature(1) == old
    assert Registry(any_bucket, exchange).sign(1) != old

    assert Registry(any_bucket, new.verifying).open(1).load(tmp_path / "scratch").files
    with pytest.raises(SignatureError, match="not an accepted one"):
        Registry(any_bucket, key.verifying).open(1).load(tmp_path / "scratch")


def test_an_altered_version_is_not_signed_again(any_bucket: Bucket, key: KeyPair, tmp_path: Path) -> None:
    registry = Registry(any_bucket, key.signing)
    published(registry, tmp_path, 1)
    before = any_bucket.read(f"{VERSIONS}1/{SIGNATURE_FILE}")
    ALTERATIONS["the provenance"](any_bucket, 1)

    with pytest.raises(SignatureError, match=r"manifest\.json has another content"):
        registry.sign(1)
    assert any_bucket.read(f"{VERSIONS}1/{SIGNATURE_FILE}") == before


def test_the_same_files_are_published_again_unless_the_version_is_signed(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    published(Registry(any_bucket, SignaturePolicy()), tmp_path, 1)
    registry = Registry(any_bucket, key.signing)

    assert registry.publish(small_bundle(tmp_path / "again", "content 0"), {}) == 2
    assert registry.publish(small_bundle(tmp_path / "third", "content 0"), {}) == 2
    assert registry.signature(2).status is SignatureStatus.VERIFIED


def test_sigstore_without_an_accepted_identity_publishes_and_signs_nothing(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    published(Registry(any_bucket, SignaturePolicy()), tmp_path, 1)
    Registry(any_bucket, key.signing).sign(1)
    before = {item.name: item.version for item in any_bucket.list(VERSIONS)}
    registry = Registry(any_bucket, SignaturePolicy(sigstore_sign=True))

    for use in (
        lambda: registry.publish(small_bundle(tmp_path / "again", "content 0"), {}),
        lambda: registry.sign(1),
    ):
        with pytest.raises(SignaturePolicyError, match="FOOTBALL_SIGSTORE_SIGN is set, but no identity"):
            use()
    assert {item.name: item.version for item in any_bucket.list(VERSIONS)} == before


def test_a_process_without_a_key_publishes_nothing_where_signatures_are_verified(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    with pytest.raises(SignaturePolicyError, match="this process has no key to sign with"):
        published(Registry(any_bucket, key.verifying), tmp_path, 1)
    assert list(any_bucket.list(VERSIONS)) == []


def test_a_key_that_cannot_be_read_opens_nothing(any_bucket: Bucket, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    published(Registry(any_bucket, key.signing), tmp_path, 1)
    reader = Registry(any_bucket, key.verifying)
    reader.open(1).load(tmp_path / "scratch")
    key.public.unlink()

    with pytest.raises(SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS .* cannot be read"):
        reader.open(1).load(tmp_path / "scratch")
    key.public.write_text("garbled")
    with pytest.raises(SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS .* is no elliptic curve public key"):
        reader.read(1, "model.onnx")
    with pytest.raises(SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS .* is no elliptic curve public key"):
        reader.find(reader.manifest(1).content)


def test_no_alias_is_changed_where_the_keys_cannot_be_read_any_more(
    any_bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(tmp_path)
    published(Registry(any_bucket, key.signing), tmp_path, 2)
    registry = Registry(any_bucket, key.verifying)
    registry.promote(2)
    change = registry._aliases.change

    def without_keys(changed: Callable[[AliasState], AliasState]) -> None:
        monkeypatch.undo()
        key.public.unlink()
        change(changed)

    monkeypatch.setattr(registry._aliases, "change", without_keys)

    with pytest.raises(SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS .* cannot be read"):
        registry.promote(1)
    assert registry.aliases() == {"production": 2}


def test_the_gate_decides_nothing_while_no_signature_can_be_verified(
    signed: Registry, bucket: LocalBucket, judge: Judge, tmp_path: Path
) -> None:
    """A candidate is neither rejected nor promoted without the comparison with production."""
    signed.promote(1)
    reader = Registry(bucket, SignaturePolicy(verify_keys=(tmp_path / "absent.pem",)))

    with pytest.raises(SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS .* cannot be read"):
        judge(reader, 2)
    assert signed.decision(2) is None
    assert signed.aliases()["production"] == 1


def test_a_key_that_is_no_longer_accepted_is_forgotten(any_bucket: Bucket, tmp_path: Path) -> None:
    """The files of the accepted keys may change while a process runs."""
    key = make_key(tmp_path)
    published(Registry(any_bucket, key.signing), tmp_path, 1)
    reader = Registry(any_bucket, key.verifying)
    reader.open(1).load(tmp_path / "scratch")

    key.public.write_bytes(make_key(tmp_path, "next").public.read_bytes())

    with pytest.raises(SignatureError, match="not an accepted one"):
        reader.open(1).load(tmp_path / "scratch")


def test_a_version_is_verified_once_per_process(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(Registry(any_bucket, key.signing), tmp_path, 1)
    monkeypatch.setattr(StoredVersion, "_signers", {})
    reads = record_reads(any_bucket, monkeypatch)
    reader = Registry(any_bucket, key.verifying)

    reader.read(1, "metrics.json")
    assert sorted(reads) == [
        f"{VERSIONS}1/{name}" for name in (MANIFEST_FILE, "metrics.json", "model.onnx", SIGNATURE_FILE)
    ]
    reads.clear()
    reader.read(1, "metrics.json")
    assert sorted(reads) == [
        f"{VERSIONS}1/{name}" for name in (MANIFEST_FILE, "metrics.json", SIGNATURE_FILE)
    ]


def test_a_version_is_verified_while_another_thread_forgets_the_signers(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgotten(dict[object, str]):
        """Cleared after each look-up, and at first after each store."""

        keeps = False

        def __setitem__(self, name: object, signer: str) -> None:
            super().__setitem__(name, signer)
            if not self.keeps:
                self.clear()

        def __contains__(self, name: object) -> bool:
            is_known = super().__contains__(name)
            self.clear()
            return is_known

    published(Registry(any_bucket, key.signing), tmp_path, 1)
    signers = Forgotten()
    monkeypatch.setattr(StoredVersion, "_signers", signers)
    reader = Registry(any_bucket, key.verifying)

    for signers.keeps in (False, True, True):
        assert reader.signature(1).status is SignatureStatus.VERIFIED


def test_a_version_copied_to_another_number_is_rejected(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    published(Registry(any_bucket, key.signing), tmp_path, 1)
    for item in list(any_bucket.list(f"{VERSIONS}1/")):
        any_bucket.write(item.name.replace("/1/", "/7/"), any_bucket.read(item.name))
    force_production(any_bucket, 7)

    with pytest.raises(RegistryError, match=r"versions/7/manifest\.json is corrupt"):
        Registry(any_bucket, key.verifying).open("production").load(tmp_path / "scratch")


def test_a_removed_version_takes_its_signature_along(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    registry = Registry(any_bucket, key.signing)
    published(registry, tmp_path, 2)

    assert registry.remove(1)
    assert list(any_bucket.list(f"{VERSIONS}1/")) == []


def remove_until_manifest_is_gone(registry: Registry) -> None:
    """Remove version 1 by a process that is killed once the manifest is gone."""

    def needed() -> tuple[int, ...]:
        if 1 not in registry.versions():
            raise KeyboardInterrupt
        return ()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModelVersions, "restore", lambda *_: False)
        with pytest.raises(KeyboardInterrupt):
            registry.remove(1, needed)
    assert 1 not in registry.versions()


def test_a_version_that_is_restored_again_and_again_keeps_its_signature(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path
) -> None:
    registry = Registry(any_bucket, key.signing)
    published(registry, tmp_path, 2)
    before = registry.open(1).signature_files()

    for _ in range(3):
        remove_until_manifest_is_gone(registry)
        assert registry.restore(1)
        assert registry.open(1).signature_files() == before
        assert registry.signature(1).status is SignatureStatus.VERIFIED
    assert registry.remove(1)
    assert list(any_bucket.list(f"{VERSIONS}1/")) == []


def test_a_restoration_that_is_cut_off_between_its_writes_keeps_the_signature(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(any_bucket, key.signing)
    published(registry, tmp_path, 1)
    remove_until_manifest_is_gone(registry)
    write = any_bucket.write

    def killed(name: str, *arguments: Any, **options: Any) -> Any:
        if name.endswith(f"/{MANIFEST_FILE}"):
            raise KeyboardInterrupt
        return write(name, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(any_bucket, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.restore(1)

    assert registry.restore(1)
    assert registry.signature(1).status is SignatureStatus.VERIFIED


def test_the_environment_decides_where_no_policy_is_given(
    any_bucket: Bucket, key: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(Registry(any_bucket), tmp_path, 1)
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(key.public))

    with pytest.raises(SignatureError, match="is not signed"):
        Registry(any_bucket).open(1).load(tmp_path / "scratch")
    flip_byte("model.onnx")(any_bucket, 1)
    with pytest.raises(RegistryError):
        Registry(any_bucket).sign(1)
