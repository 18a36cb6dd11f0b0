"""Replicas where signatures are verified: the model in memory stays while the version in production is not valid."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from football_assets.registry.manifest import MANIFEST_FILE, SIGNATURE_FILE
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.signing import ModelSignature, SignatureStatus
from football_assets.registry.store import VERSIONS, Registry
from football_assets.registry.stored_version import StoredVersion
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.altered_versions import (
    ALTERATIONS,
    STORED_FILES,
    Alteration,
    force_production,
    stored_files,
)
from football_assets_tests.builders.demo import copy_bucket, publish_reversed
from football_assets_tests.builders.exchanged_reads import exchange_after, replace_version, version_files
from football_assets_tests.builders.queries import QUERIES
from football_assets_tests.builders.running import Client, metric
from football_assets_tests.builders.signing_keys import KeyPair, make_key
from serve.metrics import ServingMetrics
from serve.service import ForecastService, ModelChoice, NotReady

MakeClient = Callable[..., Client]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed_home(demo_home: Path, key: KeyPair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's bucket with its version signed, and a second signed version that is not in production."""
    home = tmp_path_factory.mktemp("signed")
    bucket = copy_bucket(demo_home, home / "bucket")
    Registry(bucket, key.signing).sign(1)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
        assert publish_reversed(bucket, home / "publishing") == 2
    return home


@pytest.fixture
def bucket(signed_home: Path, tmp_path: Path) -> LocalBucket:
    return copy_bucket(signed_home, tmp_path / "bucket")


@pytest.fixture(autouse=True)
def _verifying(key: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(key.public))


@pytest.fixture(scope="module")
def started(
    signed_home: Path, key: KeyPair, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForecastService]:
    """A service that has loaded the signed version 1; its bucket is exchanged by the tests."""
    folder = tmp_path_factory.mktemp("started")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FOOTBALL_VERIFY_KEYS", str(key.public))
        service = make_service(copy_bucket(signed_home, folder / "bucket"), folder / "scratch")
    yield service
    service.close()


@pytest.fixture
def service(started: ForecastService, bucket: LocalBucket) -> ForecastService:
    """The same, on the bucket of the test."""
    started.bucket = bucket
    started.load(ModelChoice())
    assert (started.ready().version, started.model_error) == (1, None)
    return started


def make_service(bucket: LocalBucket, scratch: Path) -> ForecastService:
    service = ForecastService(bucket, scratch, ServingMetrics())
    service.load(ModelChoice())
    return service


@pytest.mark.parametrize("alteration", ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_version_is_not_loaded_and_the_model_before_keeps_answering(
    service: ForecastService, bucket: LocalBucket, alteration: Alteration
) -> None:
    assert stored_files(bucket, 2) == set(STORED_FILES)
    alteration(bucket, 2)
    force_production(bucket, 2)

    service.load(ModelChoice())

    assert service.model_error is not None
    assert "version 2" in service.model_error or "versions/2/" in service.model_error
    assert service.ready().version == 1
    assert service.answer(QUERIES)[0] == 1


def test_a_signed_version_is_loaded_and_its_signer_and_provenance_are_shown(
    service: ForecastService, bucket: LocalBucket, key: KeyPair, make_client: MakeClient
) -> None:
    before = make_client(service).get("/model").json()
    force_production(bucket, 2)
    service.load(ModelChoice())

    shown = make_client(service).get("/model").json()

    assert (before["version"], shown["version"]) == (1, 2)
    signature = Registry(bucket, key.verifying).signature(2)
    assert signature.status is SignatureStatus.VERIFIED
    for answer in (before, shown):
        assert answer["signature"] == {"status": "verified", "signed_by": signature.signed_by}
    provenance = before["provenance"]
    assert provenance == Registry(bucket).manifest(1).metadata["provenance"]
    assert provenance["run_id"] == Registry(bucket).manifest(1).metadata["run_id"]
    assert set(provenance["inputs"]) >= {"trained_lstm", "onnx_model", "model_evaluation", "sequence_tensors"}
    assert None not in provenance["inputs"].values()
    assert set(provenance["inputs"]["team_ratings"]) == {"at", "de", "eng", "es", "it"}
    assert shown["provenance"] is None


@pytest.mark.parametrize("altered_read", range(2))
def test_a_manifest_that_is_altered_for_one_read_gives_no_provenance(
    bucket: LocalBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, altered_read: int
) -> None:
    name = f"{VERSIONS}1/{MANIFEST_FILE}"
    signed = bucket.read(name)
    ALTERATIONS["the provenance"](bucket, 1)
    altered = bucket.read(name)
    bucket.write(name, signed)
    read, reads = bucket.read, []

    def changing(asked: str) -> bytes:
        if asked != name:
            return read(asked)
        reads.append(asked)
        return altered if len(reads) == altered_read + 1 else signed

    monkeypatch.setattr(bucket, "read", changing)
    service = make_service(bucket, tmp_path / "scratch")

    if len(reads) > altered_read:
        assert "Model version 1 in" in str(service.model_error)
        assert "is rejected" in str(service.model_error)
    else:
        assert service.ready().provenance == json.loads(signed)["metadata"]["provenance"]
    service.close()


@pytest.mark.parametrize("reads", [0, 1, 2, 5, 100])
def test_a_version_exchanged_while_it_is_loaded_is_served_as_it_was_signed_or_not_at_all(
    bucket: LocalBucket, key: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    """The other signed version 1 is of a bucket whose signatures are accepted too."""
    new = make_key(tmp_path / "new")
    other = LocalBucket(Path(shutil.copytree(bucket.root, tmp_path / "other")))
    other.delete(f"{VERSIONS}1/{SIGNATURE_FILE}")
    ALTERATIONS["the provenance"](other, 1)
    signers = [Registry(some, pair.signing).sign(1).signed_by for some, pair in ((bucket, key), (other, new))]
    assert signers[0] != signers[1]
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", f"{key.public}:{new.public}")
    monkeypatch.setattr(StoredVersion, "_signers", {})
    replacement = version_files(other, 1)
    names = exchange_after(bucket, monkeypatch, reads, lambda: replace_version(bucket, 1, replacement))
    service = make_service(bucket, tmp_path / "scratch")

    if service.model is None:
        assert 0 < reads < len(STORED_FILES)
        assert "Model version 1 in" in str(service.model_error)
        assert "is rejected" in str(service.model_error)
    else:
        is_other = reads == 0
        assert service.model.signature.signed_by == signers[is_other]
        assert (service.model.provenance == {"run_id": "another"}) is is_other
        assert len(names) == len(set(names)), "an object was read twice"
    service.close()


def test_the_model_is_reported_as_degraded_and_the_failure_is_counted(
    service: ForecastService, bucket: LocalBucket, make_client: MakeClient
) -> None:
    failures = metric(service, "model_load_failures_total")
    bucket.delete(f"{VERSIONS}2/{SIGNATURE_FILE}")
    force_production(bucket, 2)

    service.refresh()

    health = make_client(service).get("/health").json()
    assert (health["status"], health["model_version"]) == ("degraded", 1)
    assert "Model version 2" in health["model_error"]
    assert "is not signed. Sign it with `football models sign`" in health["model_error"]
    assert metric(service, "model_load_failures_total") == failures + 1


def test_a_service_that_starts_without_a_valid_model_gives_the_reason(
    bucket: LocalBucket, tmp_path: Path, make_client: MakeClient
) -> None:
    bucket.delete(f"{VERSIONS}1/{SIGNATURE_FILE}")
    service = make_service(bucket, tmp_path / "scratch")

    with pytest.raises(NotReady, match="Model version 1 .* is not signed"):
        service.ready()
    answer = make_client(service).get("/ready")
    assert answer.status_code == 503
    assert "is not signed" in answer.json()["detail"]
    service.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read"), (b"garbled", "is no elliptic curve public key")],
)
def test_a_service_whose_key_is_unusable_loads_nothing(
    bucket: LocalBucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    reason: str,
) -> None:
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(path))
    service = make_service(bucket, tmp_path / "scratch")

    with pytest.raises(NotReady, match=f"FOOTBALL_VERIFY_KEYS .*bad.pem {reason}"):
        service.ready()
    service.close()


def test_keys_are_exchanged_while_a_service_runs(
    service: ForecastService,
    bucket: LocalBucket,
    key: KeyPair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The steps of docs/how-to/signing.md: accept the new key, sign with it, and only then reject the old key."""
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    shutil.copy(key.public, trusted / "old.pem")
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(trusted))
    new = make_key(tmp_path / "new")
    both = SignaturePolicy(signing_key=new.private, verify_keys=(trusted,))
    old_signer = service.ready().signature.signed_by

    shutil.copy(new.public, trusted / "new.pem")
    for version in (1, 2):
        Registry(bucket, both).sign(version)
    (trusted / "old.pem").unlink()
    force_production(bucket, 2)
    service.load(ModelChoice())

    assert service.model_error is None
    assert service.ready().version == 2
    assert service.ready().signature.signed_by not in {None, old_signer}


def test_without_a_key_every_version_is_loaded_and_called_what_it_is(
    bucket: LocalBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FOOTBALL_VERIFY_KEYS")
    service = make_service(bucket, tmp_path / "scratch")
    assert service.ready().signature == ModelSignature(SignatureStatus.UNVERIFIED)

    (bucket.root / VERSIONS / "2" / SIGNATURE_FILE).unlink()
    force_production(bucket, 2)
    service.load(ModelChoice())

    assert service.ready().version == 2
    assert service.ready().signature == ModelSignature(SignatureStatus.UNSIGNED)
    service.close()
