"""The served model version with its scores and its card."""

from datetime import datetime

from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.answers import answered
from football_assets_tests.builders.running import Client
from serve import model_schemas


def test_the_model_is_shown_with_its_scores_and_card(client: Client, bucket: LocalBucket) -> None:
    body = answered(model_schemas.ModelAnswer, client.get("/model"))

    card = Registry(bucket).read("production", "model_card.md")
    assert body["version"] == 1
    assert body["as_of"] == "2015-11-08"
    assert body["signature"] == {"status": "unsigned", "signed_by": None}
    assert body["provenance"] == Registry(bucket).manifest(1).metadata["provenance"]
    assert body["provider"] == "CPUExecutionProvider"
    assert body["card"] == card.decode()
    assert body["metrics"]["test"]["log_loss"] < body["metrics"]["baselines"]["elo"]["log_loss"]
    assert datetime.fromisoformat(body["published"]) == Registry(bucket).manifest(1).published
