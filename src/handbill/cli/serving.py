"""``serve``, and the processes of its tree: api, edge, judge, fetcher, worker."""

import logging
import sys
from collections.abc import Callable
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


ClockOption = Annotated[
    int | None,
    typer.Option(
        "--tied",
        hidden=True,
        metavar="AHEAD",
        help="End when standard input ends; the clock is read from it.",
    ),
]


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
        from handbill.opening import prepare, set_up_link
        from handbill.supervise import keep_serving, sole_server, with_ports

    log_json_lines("serve")
    set_level(settings.log_level)
    _warn_root()
    with sole_server(settings):
        ready = with_ports(settings)
        outside, machine = of_this_machine(ready), machine_clock()
        prepare(ready, outside)
        with holding(ready, outside, machine) as hold:
            link = set_up_link(ready, outside)
            status = asyncio.run(keep_serving(ready, machine, tell, hold.renew, link))
    raise typer.Exit(status)


def _child(name: str, number: int, *, tied: int | None, data: str | None, **flags: Any) -> Settings:
    """What every process of the tree does first."""
    log_json_lines(f"{name}-{number}")
    if tied is not None:
        end_with_parent()
        measure_by(tied)
    else:
        _warn_root()
    settings = settings_with(data=data, **flags)
    set_level(settings.log_level)
    return settings


def _child_of_records(name: str, number: int, **given: Any) -> Settings:
    """The same for all but the edge, which needs no records. **Refuses** a folder without any."""
    with undisturbed():
        from handbill.opening import require_records

    settings = _child(name, number, **given)
    require_records(settings)
    return settings


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
    tied: ClockOption = None,
    data: DataOption = None,
    host: HostOption = None,
    api_port: ApiPortOption = None,
) -> None:
    """Run an API process alone (`serve` runs all)."""
    settings = _child_of_records("api", number, tied=tied, data=data, host=host, api_port=api_port)
    with undisturbed():
        from handbill.api import main

    main(settings, of_this_machine, number, tied)


def edge(
    number: NumberOption = 0,
    tied: ClockOption = None,
    data: DataOption = None,
    host: HostOption = None,
    edge_port: EdgePortOption = None,
) -> None:
    """Run an edge process alone; several, with different numbers, may share the port."""
    settings = _child("edge", number, tied=tied, data=data, host=host, edge_port=edge_port)
    with undisturbed():
        from handbill.edge import main

    main(settings, of_this_machine(settings), number)


def judge(
    number: NumberOption = 0,
    tied: ClockOption = None,
    rest: Annotated[
        bool, typer.Option("--rest", help="Judge all received events, then end.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Run the judge alone: it drains the journal into the ledger."""
    settings = _child_of_records("judge", number, tied=tied, data=data)
    with undisturbed():
        from handbill.judge import main

    main(settings, of_this_machine(settings), rest=rest)


def worker(number: NumberOption = 0, tied: ClockOption = None, data: DataOption = None) -> None:
    """Run a worker alone: matching, outbound feeds, reports."""
    settings = _child_of_records("worker", number, tied=tied, data=data)
    with undisturbed():
        from handbill.worker import main

    main(settings, of_this_machine(settings), number)


def fetcher(number: NumberOption = 0, tied: ClockOption = None, data: DataOption = None) -> None:
    """Run a fetcher alone: imports of feeds, callbacks, deliveries by FTP."""
    settings = _child_of_records("fetcher", number, tied=tied, data=data)
    with undisturbed():
        from handbill.worker import main

    main(settings, of_this_machine(settings), number, fetches=True)
