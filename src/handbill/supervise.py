"""``handbill serve``: keeps one small tree of processes alive, and ends it in order.

A child that dies is started again. Nothing is lost: what a child has acknowledged is in the journal
or in the records. All are forked from one process that has imported everything. When the supervisor
itself is killed, they end.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Protocol

import msgspec

from handbill.config import BadSettings
from handbill.host import children
from handbill.host.children import Child, ChildProcess
from handbill.host.clock import SystemClock
from handbill.host.figures import RESTARTS, share
from handbill.host.probes import READY_SECONDS, ChildWatch, status_at
from handbill.host.settings import Settings
from handbill.opening import locked, make_data_folder
from handbill.work.hosts import RENEW_SECONDS

_log = logging.getLogger("handbill.serve")

FIRST_WAIT = 0.1
MOST_WAIT = 10.0
SETTLED = 30.0
"""A child that lived so long is well: its next death is taken for its first. **Units**: seconds."""
MOST_EARLY_DEATHS = 5
_POLL_SECONDS = 0.05
_OK = 200
STOP_SECONDS = {"edge": 15.0, "api": 20.0, "judge": 30.0, "fetcher": 30.0, "worker": 30.0}
"""How long each kind may take to end. **Shape**: in the order of ending: first the doors close,
then the judge drains what they made durable, then fetchers and workers end their step."""
_NOT_STARTED = (EOFError, OSError)
"""The one to fork from cannot be reached, or the system has no room for another process."""


class Work(Protocol):
    """What a child does. ``ahead``: of the supervisor's clock; ``rest``: only what waits now."""

    def __call__(
        self, kind: str, number: int, settings: Settings, ahead: int, *, rest: bool
    ) -> object: ...


def children_of(settings: Settings) -> list[ChildProcess]:
    """The processes that the settings ask for."""
    many = {
        "edge": settings.edges,
        "api": 1,
        "judge": 1,
        "fetcher": settings.fetchers,
        "worker": settings.workers,
    }
    return [ChildProcess(kind, number) for kind in STOP_SECONDS for number in range(many[kind])]


class ProcessTree:
    """The children, kept running until ``stop`` is called."""

    def __init__(self, settings: Settings, clock: SystemClock, work: Work) -> None:
        self._settings = settings
        self._clock = clock
        self._work = work
        self._watch = ChildWatch(settings)
        self._processes: dict[ChildProcess, Child] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._hurried = asyncio.Event()
        self._is_ready = False
        self.failure: str | None = None

    def start(self, children: Sequence[ChildProcess]) -> None:
        self._keepers = [asyncio.create_task(self._keep(child)) for child in children]
        for keeper in self._keepers:
            keeper.add_done_callback(self._check_kept)

    def stop(self) -> None:
        """Ask for the end; a second call ends everything at once."""
        if self._stopping.is_set():
            self._hurried.set()
        self._stopping.set()

    def settle(self) -> None:
        """From now on a child that dies at every start is tried again for ever."""
        self._is_ready = True

    async def stopped(self) -> None:
        """Wait until the end is asked for, then end every child, kind by kind."""
        await self._stopping.wait()
        for kind in STOP_SECONDS:
            members = [item for item in self._processes.items() if item[0].kind == kind]
            in_order = await asyncio.gather(*(self._end(*member) for member in members))
            if kind == "judge" and not all(in_order) and not self.failure:
                # It was starting or already dead: what it has left behind is still judged.
                child = ChildProcess(kind, 0)
                try:
                    await self._ended(child, await self._run(child, rest=True))
                except _NOT_STARTED:
                    _log.exception("what waits is judged after the next start")
        await asyncio.gather(*self._keepers)

    def let_go(self) -> None:
        """Ask those that still run to end: without them this process could not end either."""
        for process in self._processes.values():
            process.terminate()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def _check_kept(self, keeper: asyncio.Task[None]) -> None:
        """A keeper that fails, by a bug, ends the tree: nobody else would start its child again."""
        if not keeper.cancelled() and (failure := keeper.exception()) and not self.failure:
            self.failure = f"a child is not kept running any more: {failure!r}"
            self._stopping.set()

    async def _keep(self, child: ChildProcess) -> None:
        loop = asyncio.get_running_loop()
        wait, deaths = FIRST_WAIT / 2, 0
        while not self._stopping.is_set():
            began = loop.time()
            status = await self._life_of(child)
            if self._stopping.is_set():
                return
            deaths += 1
            is_well = status is not None and loop.time() - began > SETTLED
            wait = FIRST_WAIT if is_well else min(wait * 2, MOST_WAIT)
            RESTARTS.labels(child.name, "ended").inc()
            _log.warning(
                "a process ended and is started again",  # status null: it could not be started
                extra={"child": child.name, "status": status, "wait_s": wait},
            )
            if not self._is_ready and deaths >= MOST_EARLY_DEATHS:
                self.failure = f"{child.name} ended {deaths} times at the start; see the log above"
                self.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)

    async def _life_of(self, child: ChildProcess) -> int | None:
        """Start a child and wait until it ends; its exit status. None: it could not be started."""
        try:
            process = await self._spawn(child)
        except _NOT_STARTED:
            _log.exception("a process cannot be started", extra={"child": child.name})
            return None
        status = await self._end_of(child, process)
        process.kill_group()
        return status

    async def _end_of(self, child: ChildProcess, process: Child) -> int:
        """Wait until a child ends, or end it when it hangs; its exit status."""
        ended = asyncio.create_task(process.wait())
        hung = asyncio.create_task(self._watch.until_hung(child))
        await asyncio.wait({ended, hung}, return_when=asyncio.FIRST_COMPLETED)
        if not hung.done():
            hung.cancel()
        elif failure := hung.exception():
            _log.error("nobody watches", exc_info=failure, extra={"child": child.name})
        elif not ended.done() and not self._stopping.is_set():
            _log.error("a process hangs and is killed", extra={"child": child.name})
            RESTARTS.labels(child.name, "hung").inc()
            process.kill()
        return await ended

    async def _spawn(self, child: ChildProcess) -> Child:
        process = await self._run(child)
        self._processes[child] = process
        _log.info("started", extra={"child": child.name, "pid": process.pid})
        if self._stopping.is_set():  # asked for while the child was starting
            process.kill()
        return process

    async def _run(self, child: ChildProcess, *, rest: bool = False) -> Child:
        """Start a child. Its clock continues this one's, even if the machine's was changed."""
        self._clock.now()
        work = partial(self._work, rest=rest)
        given = (child.kind, child.number, self._settings, self._clock.ahead)
        return await children.started(child.name, work, *given)

    async def _end(self, child: ChildProcess, process: Child) -> bool:
        """End a running child; returns whether it ended in order."""
        if process.returncode is not None:
            return False
        process.terminate()
        return await self._ended(child, process) == 0

    async def _ended(self, child: ChildProcess, process: Child) -> int:
        """Wait for the end of a child, with a limit; its exit status."""
        hurry = asyncio.create_task(self._hurried.wait())
        ended = asyncio.create_task(process.wait())
        seconds = STOP_SECONDS[child.kind]
        await asyncio.wait({hurry, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not ended.done():
            _log.warning("killed: it did not end in time", extra={"child": child.name})
            process.kill()
        status = await ended
        _log.info("ended", extra={"child": child.name, "status": status})
        return status


async def _become_ready(tree: ProcessTree, settings: Settings) -> bool:
    """Wait until both doors are ready. False when the tree stops before, or a door does not answer
    in time. A door that answers may still have much to catch up with, and is given the time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_SECONDS
    for name in _ports_of(settings):
        port = getattr(settings, name)
        while await status_at(settings.near_host, port, "/readyz") != _OK:
            if tree.is_stopping:
                return False
            is_late = loop.time() > deadline
            if is_late and await status_at(settings.near_host, port, "/livez") == _OK:
                _log.warning("not ready yet, but at work: GET /readyz says what is missing")
                break
            if is_late:
                tree.failure = f"not ready after {READY_SECONDS:.0f} seconds; see the log above"
                tree.stop()
                return False
            await asyncio.sleep(_POLL_SECONDS)
    return not tree.is_stopping


async def _keep_hold(tree: ProcessTree, renew: Callable[[], str | None]) -> None:
    """Renew the hold again and again, until this host no longer holds the records."""
    while tree.failure is None:
        await asyncio.sleep(RENEW_SECONDS)
        tree.failure = tree.failure or await asyncio.to_thread(renew)


async def keep_serving(
    settings: Settings,
    clock: SystemClock,
    work: Work,
    announce: Callable[[str], None],
    renew: Callable[[], str | None],
    set_up: str | None = None,
) -> int:
    """Run the tree until SIGTERM or SIGINT; each child does ``work``. ``announce`` gets the ready
    line once, and the children's clocks continue this one's. ``set_up``: the link that it shows.

    ``renew`` is called every few seconds, and returns why the tree must end, if it must. Exit
    status: 0 when it was ended on request, 1 when it could not start or had to end.
    """
    share(settings.figures_folder, "serve")
    tree = ProcessTree(settings, clock, work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tree.stop)
    tree.start(children_of(settings))
    keeping = asyncio.create_task(_keep_hold(tree, renew))
    keeping.add_done_callback(lambda _: None if tree.is_stopping else tree.stop())
    try:
        if await _become_ready(tree, settings):
            tree.settle()
            line = {"ready": True, "api": settings.api_address, "edge": settings.edge_address}
            line |= {"setUp": set_up} if set_up is not None else {}
            announce(msgspec.json.encode(line).decode())
        await tree.stopped()
    finally:
        tree.let_go()
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    if tree.failure:
        _log.error(tree.failure)
    return 1 if tree.failure else 0


def with_ports(settings: Settings) -> Settings:
    """The settings, with free ports wherever 0 was asked for.

    **Refuses** a port that is taken, or an address that is not this machine's (BadSettings).
    """
    ports = _ports_of(settings)
    chosen = {name: _free(settings.host, getattr(settings, name), name) for name in ports}
    ready = msgspec.structs.replace(settings, **chosen)
    if ready.api_port == ready.edge_port:
        raise BadSettings("api_port and edge_port must differ")
    return ready


def _ports_of(settings: Settings) -> tuple[str, ...]:
    """The ports that the tree itself listens on: edges that run apart hold theirs already."""
    return ("api_port", "edge_port") if settings.edges else ("api_port",)


def _free(host: str, port: int, name: str) -> int:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as refused:
        raise BadSettings(
            f"{host} port {port} cannot be listened on ({refused.strerror or refused}); "
            f"choose another with --{name.replace('_', '-')} or HANDBILL_{name.upper()}, 0 for any "
            "free port"
        ) from refused


@contextmanager
def sole_server(settings: Settings) -> Iterator[None]:
    """Hold the data folder. **Refuses** one that another server holds (BadSettings)."""
    make_data_folder(settings)
    with ExitStack() as held:
        try:
            held.enter_context(locked(settings.data_folder / "serve.lock", wait=False))
        except BlockingIOError as taken:
            raise BadSettings(
                f"another handbill serves {settings.data_folder}; stop it first, or name another "
                "folder with --data"
            ) from taken
        yield
