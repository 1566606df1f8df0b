"""Logs one line for each request of an edge, if the log level asks for it."""

import logging
from collections.abc import Callable

from handbill.http1.messages import Http1Answer, Later, Request

_LOG = logging.getLogger("handbill.access")
_MOST_PATH = 300
_SECRET = frozenset({b"c", b"f"})
"""After these comes a token, or a name that allows its holder to read a feed."""


def logged_answers(
    answer: Callable[[Request], Http1Answer | Later],
) -> Callable[[Request], Http1Answer | Later]:
    """The same answers, each logged; one that fails later is logged again."""

    def telling(request: Request) -> Http1Answer | Later:
        made = answer(request)
        meant = made.answer if isinstance(made, Later) else made
        _LOG.debug(
            "request",
            extra={
                "requestId": request.id.hex(),
                "verb": request.method.decode("latin-1"),
                "path": _shown(request.target),
                "status": int(meant.head[9:12]),
                "address": request.peer,
            },
        )
        return made

    return telling


def _shown(target: bytes) -> str:
    path = target.partition(b"?")[0]
    first = path[1:].partition(b"/")[0]
    return f"/{first.decode()}/…" if first in _SECRET else path[:_MOST_PATH].decode("latin-1")
