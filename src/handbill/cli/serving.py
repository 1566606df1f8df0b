"""``serve``, and the processes of its tree: api, edge, judge, fetcher, worker."""

import logging
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from threading import Thread
from typing import Annotated, Any

import typer

from handbill.cli.speaking import DataOption, JsonOption, settings_with
from handbill.host.clock import measure_by
from handbill.host.folders import is_root
from handbill.host.garbage import undisturbed
from handbill.host.logs import log_json_lines, set_level
from handbill.host.outside import machine_clock, of_this_machine
from handbill.host.settings import Settings
from handbill.host.tie import end_with_parent

_log = logging.getLogger("handbill")
_ROOTS = {
    "api": "handbill.api",
    "edge": "handbill.edge",
    "judge": "handbill.judge",
    "fetcher": "handbill.worker",
    "worker": "handbill.worker",
}

HostOption = Annotated[
    str | None, typer.Option(help="Address to listen on (default: HANDBILL_HOST, or 127.0.0.1).")
]
ApiPortOption = Annotated[
    int | None, typer.Option(help="Port of the API; 0 takes any free port (default: 8080).")
]
EdgePortOption = Annotated[
    int | None, typer.Option(help="Port of the edge; 0 takes any free port (default: 8081).")
]
NumberOption = Annotated[int, typer.Option(min=0, help="Number of this process among its kind.")]
TiedOption = Annotated[
    bool, typer.Option("--tied", hidden=True, help="End when standard input ends.")
]


def announce(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def serve(
    data: DataOption = None,
    host: HostOption = None,
    api_port: ApiPortOption = None,
    edge_port: EdgePortOption = None,
    tied: TiedOption = False,
    json: JsonOption = True,  # noqa: ARG001 - it never speaks otherwise
) -> None:
    """Run API, edge, workers and judge, and restart those that end. SIGTERM ends them in order.
    Prints one JSON line when ready; logs go to standard error.
    """
    if tied:
        end_with_parent()
    run_tree(settings_with(data=data, host=host, api_port=api_port, edge_port=edge_port), announce)


def run_tree(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until asked to stop; leaves with the tree's exit status."""
    import asyncio

    with undisturbed():
        from handbill.holding import holding
        from handbill.host import children
        from handbill.opening import ask_blobs, prepare, set_up_link
        from handbill.supervise import keep_serving, sole_server, with_ports

    log_json_lines("serve")
    set_level(settings.log_level)
    _warn_root()
    with sole_server(settings):
        ready = with_ports(settings)
        children.begin([__name__, *_ROOTS.values()])
        outside, machine = of_this_machine(ready), machine_clock()
        prepare(ready, outside)
        # Beside the start: a store that hangs would hold up the links.
        Thread(target=ask_blobs, args=(ready,), name="ask-blobs", daemon=True).start()
        with holding(ready, outside, machine) as hold:
            link = set_up_link(ready, outside)
            status = asyncio.run(
                keep_serving(ready, machine, child_of_tree, tell, hold.renew, link)
            )
    raise typer.Exit(status)


def child_of_tree(kind: str, number: int, settings: Settings, ahead: int, *, rest: bool) -> None:
    """What a process of the tree does: as the command of that kind, but with the settings and the
    clock of the supervisor.
    """
    from handbill.cli.refusals import exit_status_of

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    log_json_lines(f"{kind}-{number}")
    set_level(settings.log_level)
    measure_by(ahead)
    try:
        _do(kind, number, settings, ahead=ahead, rest=rest)
    except Exception as failure:
        status = exit_status_of(failure, as_log=True)
        if status is None:
            raise
        sys.exit(status)


def _alone(kind: str, number: int, *, rest: bool = False, **flags: Any) -> None:
    """Run such a process without a tree."""
    log_json_lines(f"{kind}-{number}")
    _warn_root()
    settings = settings_with(**flags)
    set_level(settings.log_level)
    _do(kind, number, settings, rest=rest)


def _do(
    kind: str, number: int, settings: Settings, *, ahead: int | None = None, rest: bool = False
) -> None:
    """Do what that kind of process does, until SIGTERM. All but the edge need records: **refuses**
    a folder without any.
    """
    with undisturbed():
        root = import_module(_ROOTS[kind])
        if kind != "edge":
            from handbill.opening import require_records

            require_records(settings)
    if kind == "api":
        root.main(settings, of_this_machine, number, ahead)
    elif kind == "edge":
        root.main(settings, of_this_machine(settings), number)
    elif kind == "judge":
        root.main(settings, of_this_machine(settings), rest=rest)
    else:
        root.main(settings, of_this_machine(settings), number, fetches=kind == "fetcher")


def _warn_root() -> None:
    """Say once, at the start, that this has more rights than it needs."""
    if is_root():
        _log.warning(
            "this runs as root and needs no such right: make a user for it (`useradd --system "
            "handbill`), give it the data folder (`chown -R handbill DIR`) and run it as that one; "
            "the units in deploy/systemd do"
        )


def api(
    number: NumberOption = 0,
    data: DataOption = None,
    host: HostOption = None,
    api_port: ApiPortOption = None,
) -> None:
    """Run an API process alone (`serve` runs all)."""
    _alone("api", number, data=data, host=host, api_port=api_port)


def edge(
    number: NumberOption = 0,
    data: DataOption = None,
    host: HostOption = None,
    edge_port: EdgePortOption = None,
) -> None:
    """Run an edge process alone; several, with different numbers, may share the port."""
    _alone("edge", number, data=data, host=host, edge_port=edge_port)


def judge(
    number: NumberOption = 0,
    rest: Annotated[
        bool, typer.Option("--rest", help="Judge all received events, then end.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Run the judge alone: it drains the journal into the ledger."""
    _alone("judge", number, rest=rest, data=data)


def worker(number: NumberOption = 0, data: DataOption = None) -> None:
    """Run a worker alone: matching, outbound feeds, reports."""
    _alone("worker", number, data=data)


def fetcher(number: NumberOption = 0, data: DataOption = None) -> None:
    """Run a fetcher alone: imports of feeds, callbacks, deliveries by FTP."""
    _alone("fetcher", number, data=data)
