"""The progress of the demo: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Step = Callable[[int], None]
"""Called with how many more are done."""


class Showing:
    """Steps that follow one another, each with a number of things to do."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description:<44}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    @contextmanager
    def shown(self) -> Iterator["Showing"]:
        with self._progress:
            yield self

    @contextmanager
    def step(self, what: str, total: int) -> Iterator[Step]:
        """One step; without a bar, a line tells when it is done."""
        bar = self._progress.add_task(what, total=total)
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            self._progress.update(bar, completed=done)

        yield more
        self._progress.update(bar, completed=total)
        if not self.console.is_terminal:
            self.console.print(f"{what}: {done}")
