"""Records each request once: a line in the log, a count, its time, and who was refused at a gate.

Nothing is recorded that could grant access: no header, query or body, and of a public operation,
whose path may be a secret, only the pattern. Of a link to set a password or to read
a report, only the prefix.
"""

import logging
import re
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handbill.host import security
from handbill.host.clock import ticking
from handbill.host.figures import REQUEST_SECONDS, REQUESTS

_LOG = logging.getLogger("handbill.access")
_MOST_PATH = 300
_LINK = re.compile(r"(hb[lrs]_[a-z0-9]{12}_)[a-z0-9]+")
_PROBES = frozenset({"livez", "readyz", "metrics"})
_UNKNOWN = "unknown"


class Witness:
    """An application with all requests recorded. ``named`` finds the caller, for the log."""

    def __init__(self, app: ASGIApp, named: Callable[[Scope], dict[str, str]]) -> None:
        self._app = app
        self._named = named
        self.has_answered = False  # since somebody set it to False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = ticking()
        seen: dict[str, Any] = {"status": 0, "requestId": "", "bytes": 0}

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                for name, value in message["headers"]:
                    if name == b"x-request-id":
                        seen["requestId"] = value.decode("latin-1")
            else:
                seen["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self.has_answered = True
            self._tell(scope, seen, ticking() - began)

    def _tell(self, scope: Scope, seen: dict[str, Any], seconds: float) -> None:
        operation = scope.get("operation")
        name = operation.name if operation else scope.get("page", _UNKNOWN)
        REQUESTS.labels(name, str(seen["status"])).inc()
        REQUEST_SECONDS.labels(name).observe(seconds)
        level = logging.DEBUG if name in _PROBES else logging.INFO
        refused = scope.get("refused")
        if not refused and not _LOG.isEnabledFor(level):
            return
        who = self._named(scope)
        if refused:
            security.note(f"{refused}_refused", **who)
        path = operation.path if operation and operation.role == "public" else scope["path"]
        _LOG.log(
            level,
            "request",
            extra={
                "verb": scope["method"],
                "path": _LINK.sub(r"\1...", path)[:_MOST_PATH],
                "operation": name,
                "ms": round(seconds * 1000, 1),
                **seen,
                **who,
            },
        )
