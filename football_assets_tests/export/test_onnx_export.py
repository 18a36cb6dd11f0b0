"""The exported model answers as the network does, whatever the batch size and however little is known."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import onnx
import polars as pl
import pytest

from football_assets.domain.scoring_rules import log_loss
from football_assets.errors import ExportError, NotEnoughData
from football_assets.export import onnx_export
from football_assets.export.inference import INPUTS, OUTPUTS, OnnxForecaster
from football_assets.export.onnx_export import (
    export_forecaster,
    export_network,
    find_rows,
    judge_int8,
    parity_cases,
    write_onnx,
)
from football_assets.export.tolerances import INT8_TOLERANCE, PARITY_TOLERANCE
from football_assets.sequences.spec import DEFAULT_SPEC, FeatureSpec
from football_assets.sequences.tensors import open_tensors
from football_assets_tests.builders.registry_graph import SimulatedFolders, simulate
from football_assets_tests.builders.simulation import TEST_INDEX, network_forecasts


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> SimulatedFolders:
    return simulate(tmp_path_factory.getbasetemp() / "simulated")


@pytest.fixture(scope="module")
def report(folders: SimulatedFolders) -> dict[str, Any]:
    """`export.json`."""
    content: dict[str, Any] = json.loads((folders.onnx_model / "export.json").read_text())
    return content


def test_the_export_agrees_with_the_network_in_every_case(report: dict[str, Any]) -> None:
    assert set(report["parity"]) == {
        "test set",
        "batch of 1",
        "batch of 2",
        "batch of 257",
        "unknown context",
        "no context at all",
        "no history",
        "no away history",
    }
    assert report["parity_max_abs_difference"] == max(report["parity"].values()) <= PARITY_TOLERANCE
    assert report["expected_goals_max_abs_difference"] <= 1e-5
    assert report["probability_sum_max_error"] <= 1e-6
    assert report["test_matches"] == len(TEST_INDEX)


def test_the_file_alone_gives_the_networks_forecasts(
    folders: SimulatedFolders, report: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "model.onnx").write_bytes(
        (folders.onnx_model / "model.onnx").read_bytes()
    )  # no weights beside it
    tensors = open_tensors(folders.sequence_tensors)
    batch = tensors.take(TEST_INDEX)
    probabilities, goals = OnnxForecaster(tmp_path / "model.onnx").predict(
        batch.home_history, batch.away_history, batch.context
    )
    expected = network_forecasts(folders.trained_lstm, folders.sequence_tensors)
    np.testing.assert_allclose(probabilities, expected[0][TEST_INDEX], atol=1e-6)
    np.testing.assert_allclose(goals, expected[1][TEST_INDEX], atol=1e-5)
    assert probabilities.std(axis=0).min() > 0.01  # the forecasts differ from match to match
    assert report["test_log_loss"] == pytest.approx(log_loss(probabilities, tensors.outcome[TEST_INDEX]))


def test_no_fixtures_have_no_forecasts(folders: SimulatedFolders) -> None:
    batch = open_tensors(folders.sequence_tensors).take(np.array([], dtype=np.int64))
    forecaster = OnnxForecaster(folders.onnx_model / "model.onnx")
    probabilities, goals = forecaster.predict(batch.home_history, batch.away_history, batch.context)
    assert (probabilities.shape, goals.shape) == ((0, 3), (0, 2))


def test_inputs_outputs_and_opset_are_recorded_with_a_batch_axis_that_varies(
    folders: SimulatedFolders, report: dict[str, Any]
) -> None:
    length, features, context = (
        DEFAULT_SPEC.history_length,
        len(DEFAULT_SPEC.history),
        len(DEFAULT_SPEC.context),
    )
    assert [item["name"] for item in report["inputs"]] == list(INPUTS)
    assert [item["shape"][1:] for item in report["inputs"]] == [
        [length, features],
        [length, features],
        [context],
    ]
    assert [item["name"] for item in report["outputs"]] == list(OUTPUTS)
    assert [item["shape"][1:] for item in report["outputs"]] == [[3], [2]]
    assert all(isinstance(item["shape"][0], str) for item in report["inputs"] + report["outputs"])
    model = onnx.load(folders.onnx_model / "model.onnx")
    assert report["opset"] in {item.version for item in model.opset_import}
    assert FeatureSpec.load(folders.onnx_model) == DEFAULT_SPEC


def test_int8_is_smaller_quantises_the_lstm_and_keeps_the_test_log_loss(
    folders: SimulatedFolders, report: dict[str, Any]
) -> None:
    int8, path = report["int8"], folders.onnx_model / "model.int8.onnx"
    assert int8["accepted"]
    assert max(abs(int8["log_loss_change"]), abs(int8["log_loss_change_single"])) <= INT8_TOLERANCE
    assert 0 < int8["batch_max_abs_difference"] < 0.01
    assert report["bytes"]["int8"] == path.stat().st_size < 0.8 * report["bytes"]["float32"]
    operators = {node.op_type for node in onnx.load(path).graph.node}
    assert "DynamicQuantizeLSTM" in operators
    assert "LSTM" not in operators


def test_latency_is_the_median_of_calls_after_the_first_for_one_fixture_and_for_a_batch(
    report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    class Forecaster:
        """Takes 1 s for the first call of a size and 2 ms, or 30 ms for a batch, for each later one."""

        sizes: ClassVar[list[int]] = []

        def predict(self, home: np.ndarray, away: np.ndarray, context: np.ndarray) -> None:
            (size,) = {len(home), len(away), len(context)}
            now[0] += (0.002 if size == 1 else 0.03) if size in self.sizes else 1.0
            self.sizes.append(size)

    monkeypatch.setattr(onnx_export, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    found = onnx_export.latency(Forecaster(), (np.zeros((3, 2, 4)), np.zeros((3, 2, 4)), np.zeros((3, 5))))  # type: ignore[arg-type]

    assert found == {"single": pytest.approx(2), "batch_256": pytest.approx(30)}
    assert (Forecaster.sizes.count(1), Forecaster.sizes.count(256)) == (201, 21)
    assert {variant: set(found) for variant, found in report["latency_ms"].items()} == {
        "float32": {"single", "batch_256"},
        "int8": {"single", "batch_256"},
    }


@pytest.mark.parametrize(
    ("change", "change_single", "accepted"),
    [
        (0.0009, -0.0009, True),
        (0.0011, 0, False),
        (-0.0011, 0, False),
        (0, 0.0011, False),
        (float("nan"), 0, False),
        (0, float("nan"), False),
    ],
)
def test_int8_is_judged_by_the_change_of_the_test_log_loss_in_batches_and_alone(
    change: float, change_single: float, accepted: bool
) -> None:
    verdict = judge_int8(change, change_single, 0.0)
    assert verdict.accepted is accepted
    assert ("was not written" in verdict.reason) is not accepted


def test_the_exporters_notes_are_not_in_the_file(folders: SimulatedFolders) -> None:
    graph = onnx.load(folders.onnx_model / "model.onnx").graph
    assert not any(len(noted.metadata_props) for noted in (graph, *graph.node))


def test_an_int8_variant_that_loses_too_much_is_not_written_and_nothing_is_logged(
    folders: SimulatedFolders,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    import torch
    from torch import nn

    class Delicate(nn.Module):
        """Weights of very different size: eight bits leave nothing of the small ones, which decide the outcome."""

        def __init__(self) -> None:
            super().__init__()
            weight = torch.zeros(1000, 3)
            weight[0] = torch.tensor([1e-3, 0.0, -1e-3])
            weight[1] = 1000.0
            self.weight = nn.Parameter(weight)

        def forward(
            self, home: torch.Tensor, away: torch.Tensor, context: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            known = torch.nan_to_num(context[:, :1])
            wide = torch.cat([known * 2, torch.ones_like(known), torch.zeros(known.shape[0], 998)], dim=1)
            return torch.softmax(wide @ self.weight, dim=1), torch.ones(home.shape[0], 2) * away.shape[1]

    with caplog.at_level(logging.INFO):
        report = export_network(Delicate(), folders.sequence_tensors, TEST_INDEX, tmp_path)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert not report.int8.accepted
    assert "was not written" in report.int8.reason
    assert (tmp_path / "model.onnx").is_file()
    assert not (tmp_path / "model.int8.onnx").exists()
    assert report.bytes["int8"] > 0
    batch = open_tensors(folders.sequence_tensors).take(TEST_INDEX)
    again = tmp_path / "again.onnx"
    write_onnx(Delicate(), (batch.home_history, batch.away_history, batch.context), again)
    assert again.read_bytes() == (tmp_path / "model.onnx").read_bytes()


def test_a_network_that_onnx_cannot_say_is_refused_in_one_line(
    folders: SimulatedFolders, tmp_path: Path
) -> None:
    import torch
    from torch import nn

    class Undecided(nn.Module):
        def forward(
            self, home: torch.Tensor, away: torch.Tensor, context: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            if float(context.sum()) > 0:  # depends on data: no graph
                return context[:, :3], context[:, :2]
            return context[:, 3:6], context[:, :2]

    batch = open_tensors(folders.sequence_tensors).take(TEST_INDEX)
    with pytest.raises(ExportError, match="cannot be exported to ONNX") as caught:
        write_onnx(
            Undecided(), (batch.home_history, batch.away_history, batch.context), tmp_path / "model.onnx"
        )
    assert "\n" not in str(caught.value)


def test_a_network_that_fixes_the_batch_size_is_refused(folders: SimulatedFolders, tmp_path: Path) -> None:
    import torch
    from torch import nn

    class Chunked(nn.Module):
        def forward(
            self, home: torch.Tensor, away: torch.Tensor, context: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            first, second = torch.chunk(torch.cat([home, away]), 2)
            return torch.softmax(first[:, 0, :3] + context[:, :3], dim=1), second[:, 0, :2]

    batch = open_tensors(folders.sequence_tensors).take(TEST_INDEX)
    with pytest.raises(ExportError, match="batch size of home_history.* became a constant"):
        write_onnx(
            Chunked(), (batch.home_history, batch.away_history, batch.context), tmp_path / "model.onnx"
        )
    assert not (tmp_path / "model.onnx").exists()


def test_without_test_matches_there_is_no_export(folders: SimulatedFolders, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="no test matches"):
        export_forecaster(
            folders.trained_lstm, folders.sequence_tensors, np.array([], dtype=np.int64), tmp_path
        )


def test_parity_cases_cover_small_test_sets() -> None:
    rows = (np.ones((5, 10, 12), np.float32), np.ones((5, 10, 12), np.float32), np.ones((5, 3), np.float32))
    cases = parity_cases(rows)
    assert [len(inputs[0]) for inputs in cases.values()] == [5, 1, 2, 257, 257, 257, 257, 257]
    assert np.isnan(cases["no context at all"][2]).all()
    assert not cases["no history"][0].any()


def test_rows_of_matches_are_found_in_their_order_and_a_lost_match_is_an_error() -> None:
    keys = pl.DataFrame({"match_id": ["a", "b", "c", "d"]})
    assert find_rows(keys, pl.DataFrame({"match_id": ["d", "b"]})).tolist() == [3, 1]
    with pytest.raises(ExportError, match="1 of 2 test matches are not in sequence_tensors"):
        find_rows(keys, pl.DataFrame({"match_id": ["d", "x"]}))
