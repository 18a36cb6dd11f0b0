"""The schema of `/model`: what it accepts of a signature and a provenance."""

from typing import Any

import pytest
from pydantic import ValidationError

from serve.model_schemas import ModelAnswer

ANSWER: dict[str, Any] = {
    "version": 3,
    "published": "2026-11-29T12:00:00+00:00",
    "as_of": "2015-11-08",
    "provider": "CPUExecutionProvider",
    "signature": {"status": "verified", "signed_by": "key 00"},
    "provenance": {
        "run_id": "run",
        "commit": None,
        "release": "0.1.0",
        "inputs": {"trained_lstm": "a", "team_form": {"at": "b"}, "onnx_model": None},
    },
    "metrics": {},
    "card": "# Model",
}


def test_a_version_of_an_earlier_release_has_no_provenance() -> None:
    assert ModelAnswer.model_validate(ANSWER).provenance is not None
    assert ModelAnswer.model_validate(ANSWER | {"provenance": None}).provenance is None


@pytest.mark.parametrize("status", ["valid", "", None, True])
def test_a_status_is_one_of_three(status: object) -> None:
    with pytest.raises(ValidationError, match="status"):
        ModelAnswer.model_validate(ANSWER | {"signature": {"status": status, "signed_by": None}})
