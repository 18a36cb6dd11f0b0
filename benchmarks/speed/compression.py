"""Run the command behind `docs/studies/compression.md`: smaller or faster networks, in training and inference.

    python -m benchmarks.speed.compression                                       # the bundled results
    python -m benchmarks.speed.compression --raw DIR --start 2018-07-01 --end 2020-06-30 --epochs 4
    python -m benchmarks.speed.compression --tensors FOLDER                      # of an earlier run

Training: eager, torch.compile, bfloat16, half the width. Inference: ONNX Runtime's settings, int8, 16-bit floats,
pruning, PyTorch. Each alternates with the present implementation, in one process. Prints two tables; `--work` keeps
`compression.json` and the files.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from benchmarks.research.comparison import make_tensors, markdown
from benchmarks.speed.compression_inference import CALLS, SERVED, Inference, measure_inference
from benchmarks.speed.compression_training import EAGER, Training, train_side_by_side
from football_assets.sample import sample_folder
from football_assets.sequences.tensors import SequenceTensors, open_tensors
from football_assets.training.config import SplitConfig, TrainingConfig
from football_assets.training.split import TimeSplit, split_by_time

GAIN = 0.8  # share of the time that a variant may take to win
TOLERANCE = 1e-4  # test log loss that it may lose


def main() -> int:
    """Measure, print both tables and the winners, and write `compression.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--raw", type=Path, action="append", default=[], help="folder of results; repeatable")
    parser.add_argument("--tensors", type=Path, help="instead of --raw: sequence_tensors that a run has made")
    parser.add_argument("--work", type=Path, default=Path("compression_home"), help="folder for what is made")
    parser.add_argument("--start", type=date.fromisoformat, help="first day of the test period")
    parser.add_argument("--end", type=date.fromisoformat, help="last day of the test period")
    parser.add_argument("--epochs", type=int, default=TrainingConfig().epochs, help="epochs of each training")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch")
    arguments = parser.parse_args()
    if arguments.raw and arguments.tensors:
        parser.error("give either --raw or --tensors")
    if arguments.epochs < 2:
        parser.error("--epochs must be 2 or more: the first, in which compilation happens, does not count")
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    tensors = open_tensors(arguments.tensors or make_tensors(work, arguments.raw or [sample_folder()]))
    config = TrainingConfig(epochs=arguments.epochs, split=SplitConfig(test_start=arguments.start))
    split = until(split_by_time(tensors, config.split), tensors, arguments.end)
    torch.set_num_threads(arguments.threads)
    trainings, fits = train_side_by_side(tensors, split, config, progress)
    inferences = measure_inference(fits, tensors, split, config, work, progress)
    figures = {
        "split": split.as_dict(),
        "epochs": arguments.epochs,
        "threads": arguments.threads,
        "torch": torch.__version__,
        "processor": torch.backends.cpu.get_cpu_capability(),
        "training": [asdict(row) for row in trainings],
        "inference": [asdict(row) for row in inferences],
    }
    (work / "compression.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(page(split, arguments.epochs, trainings, inferences))
    return 0


def progress(line: str) -> None:
    """Print what is being measured."""
    sys.stderr.write(f"{line}\n")


def until(split: TimeSplit, tensors: SequenceTensors, end: date | None) -> TimeSplit:
    """Return the split with a test period that ends on a day."""
    if end is None:
        return split
    return replace(split, test=split.test[tensors.days[split.test] <= np.datetime64(end)], end=end)


def page(split: TimeSplit, epochs: int, trainings: list[Training], inferences: list[Inference]) -> str:
    """Return both tables in Markdown, and the winners."""
    periods = (
        f"{len(split.train):,} matches until {split.as_dict()['train_end']} to train on, {len(split.validation):,} "
        f"until {split.validation_end} to stop and calibrate on, {len(split.test):,} from {split.test_start} to "
        f"{split.end} to test on; {epochs} epochs."
    )
    winners = [row.variant for row in trainings if training_wins(row, trainings[0])]
    winners += [row.variant for row in inferences if inference_wins(row, inferences[0])]
    verdict = (
        f"At most {GAIN:.0%} of the time (in inference at batch 1 and at batch 1,000) with a test log loss at most "
        f"{TOLERANCE:g} higher: {', '.join(winners) or 'none'}."
    )
    parts = [periods, training_table(trainings), inference_table(inferences), verdict]
    return "\n\n".join(parts) + "\n"


def training_table(rows: list[Training]) -> str:
    """Return a table with one row per variant of training."""
    columns = [
        "training",
        "first epoch",
        "an epoch",
        "ratio",
        "validation log loss",
        "test log loss",
        "ECE",
        "weights",
    ]
    cells = [
        [row.variant, f"cannot run: {row.failure}", *[""] * 6]
        if row.failure
        else [
            row.variant,
            f"{row.first_epoch:.2f} s",
            f"{row.epoch:.2f} s",
            f"{row.ratio:.2f}",
            f"{row.validation_log_loss:.5f}",
            f"{row.test_log_loss:.5f}",
            f"{row.ece:.4f}",
            f"{row.parameters:,}",
        ]
        for row in rows
    ]
    return markdown(columns, cells)


def inference_table(rows: list[Inference]) -> str:
    """Return a table with one row per variant of inference: median (p99) in ms and ratio, by batch size."""
    columns = [
        "inference",
        "bytes",
        "gzipped",
        *(f"batch {size:,}, ms" if part == "ms" else "ratio" for size in CALLS for part in ("ms", "ratio")),
        "log loss",
        "ECE",
        "largest difference",
    ]
    cells = []
    for row in rows:
        if row.latency is None:
            cells.append([row.variant, f"cannot run: {row.failure}", *[""] * (len(columns) - 2)])
            continue
        times = [
            cell
            for latency in row.latency.values()
            for cell in (f"{latency.median:.3g} ({latency.p99:.3g})", f"{latency.ratio:.2f}")
        ]
        cells.append(
            [
                row.variant,
                f"{row.bytes:,}",
                f"{row.gzipped:,}",
                *times,
                f"{row.log_loss:.5f}",
                f"{row.ece:.4f}",
                f"{row.difference:.1g}",
            ]
        )
    return markdown(columns, cells)


def training_wins(row: Training, eager: Training) -> bool:
    """Return whether a variant should replace eager float32."""
    return (
        row.variant != EAGER
        and not row.failure
        and row.ratio <= GAIN
        and row.test_log_loss <= eager.test_log_loss + TOLERANCE
    )


def inference_wins(row: Inference, served: Inference) -> bool:
    """Return whether a variant should replace the served file."""
    return (
        row.variant != SERVED
        and row.latency is not None
        and all(row.latency[size].ratio <= GAIN for size in (1, 1000))
        and row.log_loss <= served.log_loss + TOLERANCE
    )


if __name__ == "__main__":
    sys.exit(main())
