"""Run the commands behind `docs/studies/comparison.md` and rewrite its figures: forecasters, and retraining by season.

`python -m benchmarks.research.comparison --raw DIR --raw DIR` computes the features once, in a home that it keeps;
`--tensors FOLDER` uses existing ones. `--odds FILE` and `--fivethirtyeight FILE` add their rows. `--only NAME` runs one
part and does not change the figures of the others.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from football_assets.domain.block_bootstrap import Difference, interval_text

PAGE = ROOT / "docs" / "studies" / "comparison.md"
FOOTBALL = [sys.executable, "-m", "football_assets.cli"]
PARTS = {
    "season": ("compare", "--start", "2021-07-01"),
    "odds": ("compare", "--start", "2020-07-01"),
    "retraining": ("backtest", "--retrain", "season", "--start", "2018-07-01"),
}
MEASURES = {"log_loss": "log loss", "rps": "RPS", "accuracy": "accuracy", "ece": "ECE"}
INPUTS_SHOWN = 15
_PART_OF_BLOCK = re.compile(r", (tier \d|\d{4}(-\d\d)?)$")  # the command prints these too


def main() -> None:
    """Run the parts and rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, action="append", default=[], help="folder of results; repeatable")
    parser.add_argument("--tensors", type=Path, help="instead of --raw: sequence_tensors that a run has made")
    parser.add_argument("--odds", type=Path, help="CSV of decimal odds")
    parser.add_argument("--fivethirtyeight", type=Path, help="FiveThirtyEight's spi_matches.csv")
    parser.add_argument(
        "--work", type=Path, default=Path("comparison_home"), help="folder for all that is made"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="run these parts alone; repeatable")
    arguments = parser.parse_args()
    if bool(arguments.raw) == bool(arguments.tensors):
        parser.error("give either --raw or --tensors")
    arguments.work.mkdir(parents=True, exist_ok=True)
    tensors = arguments.tensors or make_tensors(arguments.work, arguments.raw)
    page = PAGE.read_text(encoding="utf-8")
    for part in arguments.only or PARTS:
        inputs = ["--tensors", str(tensors)]
        inputs += ["--odds", str(arguments.odds)] if arguments.odds else []
        if arguments.fivethirtyeight and PARTS[part][0] == "compare":
            inputs += ["--fivethirtyeight", str(arguments.fivethirtyeight)]
        figures = run_part(part, inputs, arguments.work)
        text = seasons_text(figures) if part == "retraining" else blocks_text(figures)
        page = with_figures(page, part, text)
        PAGE.write_text(page, encoding="utf-8")


def make_tensors(work: Path, folders: Iterable[Path]) -> Path:
    """Land the results in a home below `work` and build their features there."""
    home = [*FOOTBALL, "--home", str(work / "home")]
    environment = {name: value for name, value in os.environ.items() if name != "FOOTBALL_BUCKET"}
    subprocess.run([*home, "land", *map(str, folders)], check=True, env=environment)
    subprocess.run([*home, "materialize", "--select", "+sequence_tensors"], check=True, env=environment)
    artifacts = work / "home" / "bucket" / "artifacts" / "sequence_tensors"
    current: str = json.loads((artifacts / "current.json").read_text(encoding="utf-8"))["current"]
    return artifacts / current


def run_part(part: str, inputs: list[str], work: Path) -> dict[str, Any]:
    """Run a part's command; its table goes to standard output, its files to `work`."""
    files = {"out": "parquet", "json": "json", "plot": "png"}
    written = [word for name, kind in files.items() for word in (f"--{name}", str(work / f"{part}.{kind}"))]
    subprocess.run([*FOOTBALL, *PARTS[part], *inputs, *written], check=True)
    figures: dict[str, Any] = json.loads((work / f"{part}.json").read_text(encoding="utf-8"))
    return figures


def with_figures(page: str, part: str, text: str) -> str:
    """Return the page with the figures of a part, between its two marks, replaced."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if pattern.search(page) is None:
        raise SystemExit(f"{PAGE} has no place for the figures: {begin} … {end}")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page)


def blocks_text(figures: dict[str, Any]) -> str:
    """Return blocks of all seasons and tiers as Markdown tables, then the trees' feature importances and the notes."""
    parts = [
        f"Trained on {figures['train_matches']:,} matches until {figures['split']['train_end']}. Early stopping "
        f"and calibration on {figures['validation_matches']:,} matches until {figures['split']['validation_end']}."
    ]
    for block in figures["blocks"]:
        if _PART_OF_BLOCK.search(block["block"]):
            continue
        known = "; ".join(f"{name}: {count:,}" for name, count in block["known"].items())
        parts.append(
            f"**{block['block']}**: {block['matches']:,} matches, {block['league_weeks']:,} league-weeks"
            + (f" ({known})" if known else "")
        )
        rows = [
            [name, *(score_text(scores, measure) for measure in MEASURES)]
            for name, scores in block["forecasters"].items()
        ]
        parts.append(markdown(["forecaster", *MEASURES.values()], rows))
    largest = list(figures["importances"].items())[:INPUTS_SHOWN]
    if largest:
        parts.append(
            "Share of the trees' gain by input: " + ", ".join(f"`{n}` {s:.1%}" for n, s in largest) + "."
        )
    return "\n\n".join([*parts, *figures["notes"]])


def seasons_text(figures: dict[str, Any]) -> str:
    """Return the scores by season of both networks, and the paper bets, in Markdown."""
    rows = []
    for season in figures["seasons"]:
        both = [season[who][name] for name in ("log_loss", "rps") for who in ("frozen", "retrained")]
        rows.append(
            [
                season["season"],
                f"{season['matches']:,}",
                *(f"{value:.4f}" for value in both),
                interval_text(Difference(**season["difference"]["log_loss"])),
            ]
        )
    columns = ["season", "matches", "log loss, frozen", "retrained", "RPS, frozen", "retrained"]
    parts = [markdown([*columns, "log loss, retrained − frozen"], rows)]
    bets = [
        [
            name,
            f"{placed['bets']:,}",
            f"{placed['won']:,}",
            f"{placed['mean_odds']:.2f}",
            f"{placed['profit']:+.1f}",
            f"{placed['roi']:+.1%} [{placed['roi_low']:.1%}, {placed['roi_high']:.1%}]",
            f"{placed['worst_drawdown']:.1f}",
        ]
        for name, placed in figures["paper_bets"].items()
    ]
    heads = ["network", "bets", "won", "mean odds", "units won", "per unit staked", "worst drawdown"]
    return "\n\n".join([*parts, markdown(heads, bets), *figures["notes"]])


def score_text(scores: dict[str, Any], measure: str) -> str:
    """Return a score with its difference from the network's, in thousandths."""
    difference = scores["differences"].get(measure)
    return f"{scores[measure]:.4f}" + (f" ({interval_text(Difference(**difference))})" if difference else "")


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table with right-aligned numbers."""
    lines = [columns, ["---", *(["---:"] * (len(columns) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
