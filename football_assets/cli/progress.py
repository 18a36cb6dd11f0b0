"""Progress of runs and of long computations, printed on standard error with rich."""

import time
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Spinner

from football_assets.orchestration.in_process_runs import (
    AssetFinished,
    CheckFinished,
    Progress,
    RunSummary,
    StepStarted,
)

REASONS_SHOWN = 3


class WorkProgress:
    """Progress of a computation in several parts: a bar on a terminal, and a line with the duration after each part.

    Call it with the name of the part, the steps done and the steps in total. A new name ends the part before.
    """

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars = Spinner(
            SpinnerColumn(),
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._parts: dict[str, tuple[TaskID, float]] = {}

    def __enter__(self) -> "WorkProgress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._parts):
            self._finish(name)
        self._bars.stop()

    def __call__(self, name: str, done: int, total: int) -> None:
        """Show that `done` of `total` steps of a part are done."""
        if name not in self._parts:
            for other in list(self._parts):
                self._finish(other)
            self._parts[name] = self._bars.add_task(escape(name), total=total), time.monotonic()
        self._bars.update(self._parts[name][0], completed=done, total=total)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(escape(line))

    def _finish(self, name: str) -> None:
        bar, started = self._parts.pop(name)
        self._bars.remove_task(bar)
        self.console.print(f"[green]✓[/] {escape(f'{name:<24}')}{time.monotonic() - started:>7.1f} s")


class RunProgress:
    """Progress of a Dagster run: a line for every finished asset, and on a terminal the step that is running.

    Call it with each event of the run.
    """

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream, highlight=False, soft_wrap=True)
        self._spinner = Spinner(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._step = self._spinner.add_task("starting")

    def __enter__(self) -> "RunProgress":
        self._spinner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._spinner.stop()

    def __call__(self, progress: Progress) -> None:
        """Show an event."""
        match progress:
            case StepStarted(step):
                self._spinner.reset(self._step, description=step)
            case AssetFinished(asset, partitions, seconds):
                detail = (
                    f"  [dim]{partitions} {'country' if partitions == 1 else 'countries'}[/]"
                    if partitions
                    else ""
                )
                self.console.print(f"[green]✓[/] {escape(f'{asset:<24}')}{seconds:>7.1f} s{detail}")
            case CheckFinished() if not progress.passed:
                self._failed_check(progress)

    def _failed_check(self, check: CheckFinished) -> None:
        """Print the check with its description, then its most frequent reasons, each with the number of records."""
        colour, word = ("yellow", "warning") if check.is_warning else ("red", "failed")
        text = f"[{colour}]![/] {escape(check.asset)}: check {escape(check.check)} {word}"
        self.console.print(f"{text}: {escape(check.description)}" if check.description else text)
        for reason, records in check.reasons[:REASONS_SHOWN]:
            self.console.print(f"  {records:>7,} × {escape(' '.join(reason.split()))}")

    def summary(self, run: RunSummary) -> None:
        """Print the line that ends a successful run."""
        failed = sum(not check.passed for check in run.checks)
        assets = "asset" if len(run.assets) == 1 else "assets"
        checks = f"{len(run.checks) - failed} of {len(run.checks)} checks passed"
        self.console.print(
            f"{len(run.assets)} {assets} in {run.seconds:.1f} s, {checks}. Run {run.run_id} in `football up`."
        )
