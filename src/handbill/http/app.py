"""The application: one route object over the whole table, one way to answer, one way to refuse."""

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from handbill.host.ids import new_name
from handbill.http import idempotency, streaming
from handbill.http.etags import require_match, tagged
from handbill.http.gates import Arrival, admitted, found_client, read_shapes
from handbill.http.operations import Answer, Call, Desk, Operation
from handbill.kit.faults import Fault, Refused, Unavailable, bad_request
from handbill.kit.jsons import encode

_log = logging.getLogger("handbill.http")
_MOST_BODY = 1_000_000
_MOST_BODY_OF_MANY = 8_000_000
_MOST_URL = 8_192
_MOST_HEADERS = 16_384
_BODY_SECONDS = 15
_THREADS = 8
_STREAM_THREADS = 16  # each waits for one chunk of a body at a time
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,100}")
_JSON = "application/json; charset=utf-8"


class Found(NamedTuple):
    """What stands at a path: operations by verb, and the ids in the path."""

    verbs: Mapping[str, Operation]
    ids: dict[str, str]


class Table(BaseRoute):
    """All operations, found by the raw path so that an id may contain an encoded slash."""

    def __init__(self, operations: Iterable[Operation], desk: Desk) -> None:
        self._desk = desk
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="operation")
        self._streams = ThreadPoolExecutor(_STREAM_THREADS, thread_name_prefix="stream")
        self._fixed: dict[tuple[int, str], list[tuple[list[str], dict[str, Operation]]]] = {}
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        parts = operation.path.split("/")[1:]
        known = self._fixed.setdefault((len(parts), parts[0]), [])
        verbs = next((verbs for pattern, verbs in known if _alike(pattern, parts)), None)
        if verbs is None:
            verbs = {}
            known.append((parts, verbs))
            # A fixed word beats an id in the same place (/jobs/bulk before /jobs/{id}).
            known.sort(key=lambda row: [part.startswith("{") for part in row[0]])
        spellings = (operation.verb, "PATCH") if operation.verb == "PUT" else (operation.verb,)
        for verb in spellings:
            if verb in verbs:
                raise ValueError(f"{verb} {operation.path} is there twice")
            verbs[verb] = operation

    def find(self, raw_path: bytes, verb: str) -> Found | None:
        """The operations at a path, and the path's ids, decoded once.

        Where several patterns fit, the first one that has the verb; else the first of all, with
        the verbs of each, so that 405 can name them. ``OPTIONS *`` and ``CONNECT`` name no path.
        """
        if not raw_path.startswith(b"/"):
            return None
        parts = raw_path.decode("ascii", "replace").split("/")[1:]
        fits = [
            (pattern, verbs)
            for pattern, verbs in self._fixed.get((len(parts), parts[0]), ())
            if _fits(pattern, parts)
        ]
        if not fits:
            return None
        pattern, verbs = next((fit for fit in fits if verb in fit[1]), fits[0])
        allowed = {known: row for _, rows in reversed(fits) for known, row in rows.items()}
        ids = {
            want[1:-1]: unquote(part, errors="replace")
            for want, part in zip(pattern, parts, strict=True)
            if want.startswith("{")
        }
        return Found(verbs if verb in verbs else allowed, ids)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        return Match.FULL, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        given = request.headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_name(self._desk.ids, 20)
        first = b""
        try:
            answer = await self._answer(request, request_id)
            if answer.chunks is not None and request.method != "HEAD":
                first = await streaming.first_of(answer.chunks, self._streams)
        except Refused as refused:
            answer = refusal(refused, request_id)
        except Unavailable:
            _log.exception("unavailable", extra={"request_id": request_id})
            answer = refusal(Refused(500, "Internal server error"), request_id)
        except ClientDisconnect:
            # Also what the server tells us of a body in bad chunks, whose sender is still there.
            fault = Fault("", "the body breaks off, or its chunks cannot be read")
            answer = refusal(bad_request([fault]), request_id)
        except Exception:  # noqa: BLE001 - a bug: alarm, and tell nothing of our insides
            _log.exception("bug", extra={"request_id": request_id})
            answer = refusal(Refused(500, "Internal server error"), request_id)
        if answer.chunks is None or request.method == "HEAD":
            await _response(answer, request_id, request.method == "HEAD")(scope, receive, send)
            return
        head = (answer.status, _headers(answer, request_id))
        try:
            wire = (receive, send)
            await streaming.send_all(first, answer.chunks, head, wire, self._streams)
        except Exception:  # noqa: BLE001 - the status is gone: what is left is to break off
            _log.exception("a body broke off", extra={"request_id": request_id})

    async def _answer(self, request: Request, request_id: str) -> Answer:
        scope = request.scope
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        raw_path = raw_path.partition(b"?")[0]
        if len(raw_path) + len(scope["query_string"]) > _MOST_URL:
            raise Refused(431, "The URL is longer than 8 KB")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _MOST_HEADERS:
            raise Refused(431, "The headers are larger than 16 KB")
        verb = "GET" if request.method == "HEAD" else request.method
        found = self.find(raw_path, verb)
        if found is None:
            raise Refused(404, "Not found")
        verbs, ids = found
        operation = verbs.get(verb)
        if operation is None:
            allow = ", ".join(sorted(verbs))
            return refusal(Refused(405, "Method not allowed"), request_id, {"allow": allow})
        body = await _body_of(request, operation)
        headers = [(n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in scope["headers"]]
        arrival = Arrival(
            ids, scope["query_string"], headers, body, request_id, raw_path.decode("latin-1")
        )
        inline = self._desk.records.reads_inline and not (operation.mints or operation.slow)
        if inline and operation.verb == "GET":
            return self._work(operation, verbs, arrival)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._work, operation, verbs, arrival)

    def _work(
        self, operation: Operation, verbs: Mapping[str, Operation], arrival: Arrival
    ) -> Answer:
        """Gates, then work, in one transaction; writes open theirs after the gates."""
        desk = self._desk
        now = desk.clock.now()
        with desk.records.read() as tx:
            caller, client = admitted(tx, desk, operation, arrival, now)
            query, body = read_shapes(operation, arrival)
            call = Call(
                tx, desk, now, arrival.request_id, arrival.path, query, body,
                dict(arrival.headers), arrival.url, caller, client,
            )  # fmt: skip
            key = None
            if operation.role in {"agency", "partner"} and not operation.slow:
                key = idempotency.key_of(operation, arrival.every("idempotency-key"))
            if not operation.writes and key is None:
                call.maybe_client = found_client(tx, desk, operation, call)
                answer = _answered(operation, operation.work(call))
                return tagged(answer, call) if operation.verb == "GET" else answer
        with desk.records.write() as tx:
            call.tx = tx
            call.maybe_client = found_client(tx, desk, operation, call)
            if operation.writes and call.maybe_client is not None:
                desk.doors.lock_client(tx, call.maybe_client)
            require_match(call, verbs.get("GET"))
            if key is None:
                answer = _answered(operation, operation.work(call))
                return tagged(answer, call) if operation.verb == "GET" else answer
            return _once(operation, call, key, arrival.body)

    def close(self) -> None:
        self._threads.shutdown()
        self._streams.shutdown()


def _fits(pattern: list[str], parts: list[str]) -> bool:
    return all(
        want == part or (want.startswith("{") and part != "")
        for want, part in zip(pattern, parts, strict=True)
    )


def _alike(one: list[str], other: list[str]) -> bool:
    blank = [["{}" if part.startswith("{") else part for part in path] for path in (one, other)]
    return blank[0] == blank[1]


def _once(operation: Operation, call: Call, key: str, raw: bytes) -> Answer:
    """The stored answer of a request that was answered before, else the work, remembered."""
    former = idempotency.replayed(call, operation, key, raw)
    if former is not None:
        return former
    answer = _answered(operation, operation.work(call))
    body = encode(answer.body) if answer.raw is None else answer.raw
    idempotency.remember(call, operation, key, answer, body)
    return answer


def _answered(operation: Operation, worked: Any) -> Answer:
    return worked if isinstance(worked, Answer) else Answer(worked, operation.success)


def refusal(refused: Refused, request_id: str, headers: Mapping[str, str] | None = None) -> Answer:
    """The error body of contract 2."""
    body: dict[str, Any] = {"message": refused.message, "requestId": request_id}
    if refused.status == 400:
        faults = refused.faults or [Fault("", refused.message)]
        body["errors"] = [{"field": f.field, "message": f.message} for f in faults[:1_000]]
    return Answer(body, refused.status, dict(headers or {}))


def _headers(answer: Answer, request_id: str) -> dict[str, str]:
    return {
        "content-type": answer.media_type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id,
        **answer.headers,
    }


def _response(answer: Answer, request_id: str, headless: bool) -> Response:
    body = encode(answer.body) if answer.raw is None else answer.raw
    headers = _headers(answer, request_id)
    if headless:
        headers.setdefault("content-length", str(len(body)))
        body = b""
    return Response(body, answer.status, headers)


async def _body_of(request: Request, operation: Operation) -> bytes:
    """The whole body, within its limit and time. **Refuses** a larger one (413)."""
    if operation.body is None:
        return b""
    most = _MOST_BODY_OF_MANY if operation.many else _MOST_BODY
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > most:
        raise Refused(413, f"The body is larger than {most} bytes")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise Refused(413, f"The body is larger than {most} bytes")
                chunks.append(chunk)
    except TimeoutError:
        fault = Fault("", f"the body did not arrive within {_BODY_SECONDS} seconds")
        raise bad_request([fault]) from None
    return b"".join(chunks)


def application(operations: Iterable[Operation], desk: Desk) -> Starlette:
    """The ASGI application over a table of operations."""
    return Starlette(routes=[Table(operations, desk)])
