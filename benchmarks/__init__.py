"""Benchmarks, run as modules from the repository's root.

`speed` measures what the product costs: `python -m benchmarks.speed.bench`. `research` measures what a modelling choice
is worth: `python -m benchmarks.research.ablations --help`. `python -m benchmarks.mutants` measures the tests.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
