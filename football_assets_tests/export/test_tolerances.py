"""The tolerances of an export are those that its checks describe in the Dagster UI."""

from football_assets.export.checks import checks
from football_assets.export.tolerances import INT8_TOLERANCE, PARITY_TOLERANCE


def test_the_checks_describe_the_tolerances() -> None:
    descriptions = {
        key.name: spec.description or ""
        for check in checks
        for key, spec in zip(check.check_keys, check.check_specs, strict=True)
    }

    assert (PARITY_TOLERANCE, INT8_TOLERANCE) == (1e-5, 1e-3)
    assert "by more than 1e-05" in descriptions["onnx_model_agrees_with_the_network"]
    assert "by at most 0.001" in descriptions["int8_variant_keeps_the_log_loss"]
