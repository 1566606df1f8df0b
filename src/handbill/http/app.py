"""The application: one ASGI callable over the whole table, with one way to answer and to refuse."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from inspect import isawaitable
from itertools import chain
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.routing import Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from handbill.host.ids import new_name
from handbill.http import idempotency
from handbill.http.answers import failed, headers_of, refusal, whole
from handbill.http.aside import PipedAnswer
from handbill.http.bodies import Room, body_of
from handbill.http.etags import require_match, unless_known
from handbill.http.gates import Admission, Arrival, admitted, found_client, read_shapes
from handbill.http.kinds import Enter, Mint
from handbill.http.lanes import OUTWARD_PLACES, Deputies, Lanes, Owners, lane_of, sender_of
from handbill.http.operations import NO_RECORDS, Answer, Call, Desk, Lane, Operation, body_in
from handbill.http.paths import Operations, raw_path_of, verb_of
from handbill.http.streaming import ChunkedAnswer, Chunks
from handbill.http.turns import Lane as Turned
from handbill.http.working import Passed, answer_of, answered, occasion_of, once, pointed
from handbill.http.writing import Writer
from handbill.kit.faults import Refused
from handbill.kit.instants import Instant
from handbill.store.records import Tx

_log = logging.getLogger("handbill.http")
_MOST_URL = 8_192
_MOST_HEADERS = 16_384
_SHORT = 16_384  # reading a larger body takes milliseconds, in which others wait
_SMALL = 8_192  # a larger answer is not kept; 16 MB are kept at most
_THREADS = 10  # as many as there are places
_STREAM_THREADS = 16  # each waits for one chunk of a body at a time
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,100}")
_T = TypeVar("_T")
Held = list[Callable[[], None]]
"""What releases what a request holds."""


class Application(Router):
    """All operations behind their gates.

    Where records are local, short reads run on the event loop, and changes in the one thread that
    writes; everything else, and everything where records are remote, runs in threads. Bulk and slow
    work is done by ``deputies``, where there are any. Agencies take turns everywhere.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        desk: Desk,
        deputies: Deputies | None = None,
        lifespan: Lifespan[Any] | None = None,
    ) -> None:
        every = list(operations)
        super().__init__(
            [Operations(every, self._told)],
            redirect_slashes=False,
            default=self._told,
            lifespan=lifespan,
        )
        self._desk = desk
        self._named = {operation.name: operation for operation in every}
        self._readings = {one.path: one for one in every if one.verb == "GET"}
        self._lanes = Lanes(desk.settings, deputies or {})
        self._owners = Owners()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="operation")
        self._asides = ThreadPoolExecutor(_THREADS, thread_name_prefix="aside")
        self._outward = ThreadPoolExecutor(OUTWARD_PLACES, thread_name_prefix="outward")
        self._streams = ThreadPoolExecutor(_STREAM_THREADS, thread_name_prefix="stream")
        self._writer = Writer(desk.records)
        self._room = Room(desk.settings.body_bytes_at_once)

    async def _told(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever its path."""
        request = Request(scope, receive)
        given = request.headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_name(self._desk.ids, 20)
        held: Held = []
        try:
            try:
                answer = await self._answer(request, request_id, held)
                if answer.chunks is None or scope["method"] == "HEAD":
                    response = whole(answer, request_id, scope)
                else:
                    response = await self._chunked(answer, answer.chunks, request_id)
            except Exception as failure:  # noqa: BLE001 - answered in our own words, or an alarm
                if isinstance(failure, Refused):
                    scope["refused"] = failure.gate
                response = whole(failed(failure, request_id), request_id, scope)
            try:
                await response(scope, receive, send)
            except Exception:  # noqa: BLE001 - the status is sent: all that is left is to break off
                _log.exception("a body was incomplete", extra={"requestId": request_id})
        finally:
            for release in held:
                release()

    async def _chunked(self, answer: Answer, made: Iterator[bytes], request_id: str) -> ASGIApp:
        chunks = Chunks(made, self._streams)
        first = await chunks.first()
        return ChunkedAnswer(first, chunks, answer.status, headers_of(answer, request_id))

    async def _answer(self, request: Request, request_id: str, held: Held) -> Answer:
        """The answer to send. ``held``: what is released once everything is sent."""
        scope, raw_path, headers = request.scope, raw_path_of(request.scope), request.headers
        if len(raw_path) + len(scope["query_string"]) > _MOST_URL:
            raise Refused(431, "The URL is longer than 8 KB")
        if sum(map(len, chain.from_iterable(scope["headers"]))) > _MOST_HEADERS:
            raise Refused(431, "The headers are larger than 16 KB")
        verbs: dict[str, Operation] | None = scope.get("verbs")
        if verbs is None:
            raise Refused(404, "Not found")
        operation = scope["operation"] = verbs.get(verb_of(scope))
        if operation is None:
            allow = ", ".join(sorted(verbs))
            return refusal(Refused(405, "Method not allowed"), request_id, {"allow": allow})
        arrival = Arrival(
            scope["path_params"],
            scope["query_string"],
            headers,
            b"",
            request_id,
            raw_path,
            sender_of(headers),
            (scope.get("client") or ("",))[0],
        )
        if operation.body is None:
            return await self._placed(operation, arrival, held)
        is_public = operation.role == "public"
        admission = None if is_public else await self._known(operation, arrival)
        with self._room.part(self._owners.of(arrival.sender, arrival.peer)) as part:
            body, damage = await body_of(request, part, operation, self._threads)
            arrival = arrival._replace(body=body, damage=damage, admission=admission)
            return await self._placed(operation, arrival, held)

    async def _known(self, operation: Operation, arrival: Arrival) -> Admission:
        """Who is calling. **Refuses** with 401 or 403, by the headers alone; the gates run again
        just before the work, unless nothing has changed by then.
        """

        def admission() -> Admission:
            with self._desk.records.read() as tx:
                return self._admitted(tx, operation, arrival, self._desk.clock.now())

        if self._desk.records.reads_inline:
            return admission()
        return await _in(self._threads, admission)

    def _admitted(self, tx: Tx, operation: Operation, arrival: Arrival, now: Instant) -> Admission:
        """Pass the gates of who is calling, unless they were passed just now, in the same state."""
        admission = arrival.admission
        if admission is None or not admission.stands(tx, now):
            admission = admitted(tx, self._desk, operation, arrival, now)
            if admission.caller is not None:
                self._owners.learn(arrival.sender, admission.caller)
        return admission

    async def _placed(self, operation: Operation, arrival: Arrival, held: Held) -> Answer:
        """Run the work in its lane, when it is its owner's turn."""
        if operation.bare:
            return await self._bare(operation, arrival)
        owner = self._owners.of(arrival.sender, arrival.peer)
        await self._lanes.loop.slice(owner)
        lane = lane_of(operation, arrival.query)
        if lane != "quick":
            return await self._aside(lane, operation, arrival, held)
        return await self._worked(operation, arrival, owner)

    async def _worked(self, operation: Operation, arrival: Arrival, owner: str) -> Answer:
        """Run gates and work on the event loop or in a thread, whichever is right for them."""
        if operation.ahead is not None:
            is_outward = isinstance(operation.kind, Enter) and operation.kind.outward
            lane = self._lanes.outward if is_outward else self._lanes.proofs
            threads = self._outward if is_outward else self._threads
            return await self._threaded(lane, operation, arrival, owner, threads)
        is_long = len(arrival.body) > _SHORT
        if is_long or isinstance(operation.kind, Mint) or not self._desk.records.reads_inline:
            lane = self._lanes.bodies if is_long else self._lanes.threads
            return await self._threaded(lane, operation, arrival, owner)
        if operation.verb == "GET":
            return self._work(operation, arrival)
        if not operation.writes:
            return await self._threaded(self._lanes.threads, operation, arrival, owner)
        with self._desk.records.read() as tx:
            passed = self._passed(tx, operation, arrival)
        try:
            return await self._writer.write(owner, lambda tx: self._changed(tx, passed))
        finally:
            # All results of one commit come back at once: they are sent in turns too.
            with suppress(Refused):
                await self._lanes.loop.slice(owner)

    async def _threaded(
        self,
        lane: Turned,
        operation: Operation,
        arrival: Arrival,
        owner: str,
        threads: Executor | None = None,
    ) -> Answer:
        leave = await lane.enter(owner)
        try:
            return await _in(threads or self._threads, lambda: self._work(operation, arrival))
        finally:
            leave()

    async def _aside(
        self, lane: Lane, operation: Operation, arrival: Arrival, held: Held
    ) -> Answer:
        """Bulk or slow work: the gates of who is calling are passed before a place is taken."""
        await self._known(operation, arrival)
        owner = self._owners.of(arrival.sender, arrival.peer)
        held.append(await self._lanes.of[lane].enter(owner))
        deputy = self._lanes.deputy(lane)
        if deputy is None:
            return await _in(self._asides, lambda: self._work(operation, arrival))
        piped, chunks = await deputy.ask((operation.name, arrival._replace(admission=None)))
        if chunks is None:
            held.pop()()  # a finished answer needs no place while it is sent
        return Answer(None, piped.status, piped.headers, piped.raw, piped.media_type, chunks)

    def done_aside(self, asked: tuple[str, Arrival]) -> tuple[PipedAnswer, Iterator[bytes] | None]:
        """In a deputy: gates and work of the request that its door passed on."""
        name, arrival = asked
        answer = self._work(self._named[name], arrival)
        is_whole = answer.chunks is None
        raw = body_in(answer) if is_whole else b""
        piped = PipedAnswer(
            answer.status, dict(answer.headers), raw, answer.media_type, has_chunks=not is_whole
        )
        return piped, answer.chunks

    def begin(self) -> None:
        """Start the deputies, before the first request."""
        self._lanes.begin()

    async def _bare(self, operation: Operation, arrival: Arrival) -> Answer:
        """Operations without records, answered while records are away or all threads wait."""
        query, body = read_shapes(operation, arrival)
        call = self._call(NO_RECORDS, self._desk.clock.now(), arrival, query, body)
        worked = operation.work(call)
        if isawaitable(worked):
            worked = await worked
        return unless_known(answer_of(operation, worked), call)

    def _work(self, operation: Operation, arrival: Arrival) -> Answer:
        """Gates, then work, in one transaction; writes open theirs after the gates."""
        with self._desk.records.read() as tx:
            passed = self._passed(tx, operation, arrival)
            if not operation.writes and passed.key is None:
                return unless_known(self._looked_up(tx, passed), passed.call)
            call, ahead = passed.call, operation.ahead
            prove = None if ahead is None else pointed(lambda: ahead(call), call)
        if prove is not None:
            call.tx = NO_RECORDS  # no reader is held while a password is hashed
            call.proved = pointed(prove, call)
        with self._desk.records.write() as tx:
            return unless_known(self._changed(tx, passed), passed.call)

    def _looked_up(self, tx: Tx, passed: Passed) -> Answer:
        """Answer a call that changes nothing, from the kept answers where possible."""
        operation, call, *_ = passed
        memory = tx.memory() if operation.timeless else None
        name: Any = None
        if operation.timeless:
            name = (operation.name, call.url, call.caller.owner_no, call.caller.only_clients)
        if memory is not None and name in memory:
            kept: Answer = memory[name]
            return kept
        call.maybe_client = found_client(tx, self._desk, operation, call)
        answer = answered(operation, call)
        if memory is not None and len(answer.raw or b"") <= _SMALL:
            memory[name] = answer
        return answer

    def _passed(self, tx: Tx, operation: Operation, arrival: Arrival) -> Passed:
        """Pass all gates but the look-up, which is done in the work's transaction."""
        now = self._desk.clock.now()
        caller, client, *_ = self._admitted(tx, operation, arrival, now)
        query, body = read_shapes(
            operation,
            arrival,
            lambda: self._desk.doors.currency(tx, caller) if caller is not None else "",
        )
        call = self._call(tx, now, arrival, query, body)
        call.maybe_caller, call.maybe_client = caller, client
        key = None
        if operation.may_be_retried:
            key = idempotency.key_of(arrival.headers.getlist("idempotency-key"))
        return Passed(operation, call, key, arrival.body)

    def _call(self, tx: Tx, now: Instant, arrival: Arrival, query: Any, body: Any) -> Call:
        return Call(
            tx,
            self._desk,
            now,
            arrival.request_id,
            arrival.path,
            query,
            body,
            arrival.headers,
            arrival.url,
            peer=arrival.peer,
        )

    def _changed(self, tx: Tx, passed: Passed) -> Answer:
        """Do the work of a call in a transaction that may write."""
        operation, call, key, raw = passed
        call.tx = tx
        tx.occasion = occasion_of(operation, call)
        call.maybe_client = found_client(tx, self._desk, operation, call, hold=operation.writes)
        require_match(call, self._readings.get(operation.path))
        if key is None:
            return answered(operation, call)
        return once(operation, call, key, raw)

    def close(self) -> None:
        self._writer.close()
        self._lanes.close()
        self._threads.shutdown()
        self._asides.shutdown()
        self._outward.shutdown()
        self._streams.shutdown()


async def _in(threads: Executor, work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)
