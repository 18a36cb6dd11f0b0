"""The exported model answers as the network does, whatever the batch size and however little is known."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from football_assets.domain.scoring_rules import log_loss
from football_assets.errors import ExportError, NotEnoughData
from football_assets.export.inference import OnnxForecaster
from football_assets.export.onnx_export import (
    export_forecaster,
    export_network,
    find_rows,
)
from football_assets.export.onnx_graph import write_onnx
from football_assets.sequences.tensors import open_tensors
from football_assets_tests.builders.registry_graph import SimulatedFolders
from football_assets_tests.builders.simulation import TEST_INDEX, network_forecasts


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


def test_without_test_matches_there_is_no_export(folders: SimulatedFolders, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="no test matches"):
        export_forecaster(
            folders.trained_lstm, folders.sequence_tensors, np.array([], dtype=np.int64), tmp_path
        )


def test_rows_of_matches_are_found_in_their_order_and_a_lost_match_is_an_error() -> None:
    keys = pl.DataFrame({"match_id": ["a", "b", "c", "d"]})
    assert find_rows(keys, pl.DataFrame({"match_id": ["d", "b"]})).tolist() == [3, 1]
    with pytest.raises(ExportError, match="1 of 2 test matches are not in sequence_tensors"):
        find_rows(keys, pl.DataFrame({"match_id": ["d", "x"]}))
