"""The record of where a version comes from."""

import json
from importlib.metadata import version

from football_assets.registry.provenance import Provenance


def test_a_provenance_is_json_with_the_release_of_the_package() -> None:
    inputs = {"trained_lstm": "a", "team_form": {"at": "b"}, "onnx_model": None}

    record = Provenance.of_run("run", None, inputs).to_dict()

    assert json.loads(json.dumps(record)) == {
        "run_id": "run",
        "commit": None,
        "release": version("football-assets"),
        "inputs": inputs,
    }
