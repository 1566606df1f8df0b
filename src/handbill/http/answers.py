"""Responses as they are sent: common headers, compression, and the bodies of errors."""

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
_RETRY_SECONDS = 5  # after a temporary failure
_ZIPPED_FROM = 4_096  # compressing less costs more than it saves
_ZIP_LEVEL = 4
_ZIPPED_ASIDE = 32_768  # compressing takes some milliseconds: done in a thread


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
    """An answer with a complete body, gzipped where it is large and the caller accepts that. A HEAD
    gets only its length, which may be known already.
    """
    body = b"" if answer.chunks is not None else body_in(answer)
    response = Response(body, answer.status, headers_of(answer, request_id))
    if scope["method"] == "HEAD":
        response.body = b""
    if len(response.body) < _ZIPPED_FROM:
        return response
    if "etag" in answer.headers and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
        # The same content in other bytes (RFC 9110, 8.8.3.3).
        response.headers["etag"] = f"W/{answer.headers['etag']}"
    return GZipMiddleware(
        response, _ZIPPED_FROM, compresslevel=_ZIP_LEVEL, thread_minimum_size=_ZIPPED_ASIDE
    )


def failed(failure: Exception, request_id: str) -> Answer:
    """The answer for a failure. One that the caller did not cause reveals nothing about us."""
    if isinstance(failure, Refused):
        later = {"retry-after": str(failure.retry_seconds)} if failure.retry_seconds else None
        return refusal(failure, request_id, later)
    if isinstance(failure, ClientDisconnect):
        # Also raised by the server for a body in bad chunks, whose sender is still connected.
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
