"""`onnx_model` as a Dagster run on the simulated world."""

from football_assets_tests.builders.registry_graph import (
    SimulatedFolders,
    evaluations,
    metadata,
)


def test_the_asset_passes_its_checks_and_shows_parity_size_and_latency(folders: SimulatedFolders) -> None:
    shown = metadata(folders.export_run, "onnx_model")
    assert shown["parity_max_abs_difference"] <= 1e-5
    assert shown["opset"] == 20
    assert shown["bytes_float32"] == (folders.onnx_model / "model.onnx").stat().st_size
    assert shown["latency_single_ms"] > 0
    assert "| int8 |" in shown["size_and_latency"]
    assert "home_history" in shown["signature"]
    found = evaluations(folders.export_run)
    assert len(found) == 4
    assert all(item.passed for item in found.values())
