"""Answers as they are sent: the headers that each has, the body in its coding, what is refused."""

import logging
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from handbill.http.operations import Answer, body_in
from handbill.kit.faults import Fault, Refused, bad_request, passes
from handbill.wire.values import MOST_FAULTS

_log = logging.getLogger("handbill.http")
_RETRY_SECONDS = 5  # after trouble that passes
_ZIPPED_FROM = 4_096  # below that it costs more than it spares
_ZIP_LEVEL = 4
_ZIPPED_ASIDE = 32_768  # some milliseconds: in a thread


def headers_of(answer: Answer, request_id: str) -> dict[str, str]:
    """The headers that every answer has, and its own."""
    return {
        "content-type": answer.media_type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id,
        **answer.headers,
    }


def whole(answer: Answer, request_id: str, scope: Scope) -> ASGIApp:
    """An answer whose body is there, gzipped where it is large and the caller takes it so; to a
    HEAD its length alone, which may be told already.
    """
    body = b"" if answer.chunks is not None else body_in(answer)
    response = Response(body, answer.status, headers_of(answer, request_id))
    if scope["method"] == "HEAD":
        response.body = b""
    if len(response.body) < _ZIPPED_FROM:
        return response
    if "etag" in answer.headers and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
        # The same thing in other bytes (RFC 9110, 8.8.3.3).
        response.headers["etag"] = f"W/{answer.headers['etag']}"
    return GZipMiddleware(
        response, _ZIPPED_FROM, compresslevel=_ZIP_LEVEL, thread_minimum_size=_ZIPPED_ASIDE
    )


def failed(failure: Exception, request_id: str) -> Answer:
    """A failure as it is answered. One that is not the caller's doing tells nothing of us."""
    if isinstance(failure, Refused):
        later = {"retry-after": str(failure.retry_seconds)} if failure.retry_seconds else None
        return refusal(failure, request_id, later)
    if isinstance(failure, ClientDisconnect):
        # Also what the server tells us of a body in bad chunks, whose sender is still there.
        fault = Fault("", "the body is incomplete, or its chunks cannot be read")
        return refusal(bad_request([fault]), request_id)
    if passes(failure):
        _log.warning("unavailable: %s", failure, extra={"requestId": request_id})
        wait = {"retry-after": str(_RETRY_SECONDS)}
        return refusal(Refused(503, "Service Unavailable"), request_id, wait)
    _log.error("bug", exc_info=failure, extra={"requestId": request_id})
    return refusal(Refused(500, "Internal server error"), request_id)


def refusal(refused: Refused, request_id: str, headers: Mapping[str, str] | None = None) -> Answer:
    """The error body of contract 2."""
    body: dict[str, Any] = {"message": refused.message, "requestId": request_id}
    if refused.status == 400:
        faults = refused.faults or [Fault("", refused.message)]
        body["errors"] = [{"field": f.field, "message": f.message} for f in faults[:MOST_FAULTS]]
        if len(faults) >= MOST_FAULTS:
            body["message"] += f": errors names the first {MOST_FAULTS:,} faults; there may be more"
    return Answer(body, refused.status, dict(headers or {}))
