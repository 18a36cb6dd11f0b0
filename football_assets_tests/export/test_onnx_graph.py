"""The ONNX graph: dynamic batch size, no metadata of the exporter, errors in one line."""

from pathlib import Path
from typing import Any

import onnx
import pytest

from football_assets.errors import ExportError
from football_assets.export.inference import INPUTS, OUTPUTS
from football_assets.export.onnx_graph import write_onnx
from football_assets.sequences.spec import DEFAULT_SPEC, FeatureSpec
from football_assets.sequences.tensors import open_tensors
from football_assets_tests.builders.registry_graph import SimulatedFolders
from football_assets_tests.builders.simulation import TEST_INDEX


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


def test_the_exporters_notes_are_not_in_the_file(folders: SimulatedFolders) -> None:
    graph = onnx.load(folders.onnx_model / "model.onnx").graph
    assert not any(len(noted.metadata_props) for noted in (graph, *graph.node))


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
