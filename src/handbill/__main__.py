"""``handbill``: the commands, and how each kind of failure is reported."""

import atexit
import os
import signal
import sys
import threading
from typing import Annotated

import typer

from handbill.cli.lazy import COMMANDS, ListedCommands

app = typer.Typer(
    cls=ListedCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Programmatic job advertising on your own machine. Settings: `handbill settings`.",
)
_PRIVATE = 0o077
_ENDED = 128 + signal.SIGTERM


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"handbill {version('handbill')}\n")
        raise typer.Exit


@app.callback()
def _first(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Programmatic job advertising on your own machine. Settings: `handbill settings`."""


def _check_words() -> None:
    """**Refuses** words of a command that are not UTF-8 (Misspoken), unless they name a file."""
    for word in sys.argv[1:]:
        try:
            word.encode()
        except UnicodeEncodeError:
            if os.sep in word or os.path.lexists(word):
                continue
            from handbill.cli.speaking import Misspoken

            raise Misspoken(f"{word!a} is not UTF-8") from None


def main() -> None:
    """Run a command. Exit status: 0 done, 1 failed, 2 wrong usage.

    Files are created for this user alone. **Refuses** ``python -O`` (1): its checks stay on.
    """
    if not __debug__:
        sys.exit("handbill: python -O leaves out the checks that guard money; start it without")
    os.umask(_PRIVATE)
    # As on Ctrl-C, so that a command releases what it holds; server processes handle it themselves.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_ENDED))
    try:
        _check_words()
        app()
    except Exception as failure:
        from handbill.cli.refusals import exit_status_of

        asked = COMMANDS.get(sys.argv[1]) if sys.argv[1:] else None
        status = exit_status_of(failure, as_log=asked is not None and asked.is_process)
        if status is None:
            raise
        sys.exit(status)


def run() -> None:
    """Run ``main``, then end the process at once: unloading all modules takes longer than most
    commands do. Threads and exit functions that must be waited for are.
    """
    status = 0
    try:
        main()
    except SystemExit as left:
        if not isinstance(left.code, int):
            raise
        status = left.code
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as at every end
    atexit._run_exitfuncs()  # noqa: SLF001 - the same
    try:
        sys.stdout.flush()
    except OSError:
        sys.exit(status)  # the interpreter reports what it could not write
    os._exit(status)


if __name__ == "__main__":
    run()
