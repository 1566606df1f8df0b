"""Starlette routes for the operations; only those that may fit a path are tried."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from handbill.http.operations import Operation


class _Id(Convertor[str]):
    """An id: anything between two slashes, decoded once, so that it may contain a slash."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value, errors="replace")

    def to_string(self, value: str) -> str:
        return quote(value, safe="")


register_url_convertor("id", _Id())


class Operations(BaseRoute):
    """The routes of all operations, answered by ``app``, which finds the operations at the path in
    ``scope["verbs"]`` and the path's ids in ``scope["path_params"]``.

    If several paths fit, the first one with the verb is taken; else the first of all, with the
    verbs of each, so that 405 can list them. A word wins over an id: /jobs/bulk before /jobs/{id}.
    """

    def __init__(self, operations: Iterable[Operation], app: ASGIApp) -> None:
        self._app = app
        self._verbs: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            verbs = self._verbs.setdefault(operation.path, {})
            for verb in ("PUT", "PATCH") if operation.verb == "PUT" else (operation.verb,):
                if verb in verbs:
                    raise ValueError(f"{verb} {operation.path} is given twice")
                verbs[verb] = operation
        self._near: dict[tuple[str, int], list[str]] = defaultdict(list)
        for path in sorted(self._verbs, key=_ids_last):
            self._near[_shape_of(path)].append(path)
        self._words = {_last_of(path) for path in self._verbs}
        self._routes: dict[tuple[str, int, str], list[Route]] = {}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        raw_path, verb = raw_path_of(scope), verb_of(scope)
        asked = {"type": scope["type"], "path": raw_path, "method": verb}
        fits: list[tuple[dict[str, Operation], Any]] = []
        for route in self._routes_at(*_shape_of(raw_path), _last_of(raw_path)):
            match, routed = route.matches(asked)
            if match is Match.NONE:
                continue
            verbs, ids = self._verbs[route.name], routed["path_params"]
            if match is Match.FULL:
                return Match.FULL, {"verbs": verbs, "path_params": ids}
            fits.append((verbs, ids))
        if not fits:
            return Match.NONE, {}
        allowed = {known: row for verbs, _ in reversed(fits) for known, row in verbs.items()}
        return Match.FULL, {"verbs": allowed, "path_params": fits[0][1]}

    def _routes_at(self, first: str, parts: int, last: str) -> list[Route]:
        """The routes there, made at the first request: most processes answer few operations."""
        near = self._near.get((first, parts))
        if near is None:
            return []
        place = (first, parts, last if last in self._words else "")
        if place not in self._routes:
            fits = [path for path in near if _last_of(path) in {place[2], ""}]
            self._routes[place] = [self._route(path) for path in fits]
        return self._routes[place]

    def _route(self, path: str) -> Route:
        with_ids = re.sub(r"{(\w+)}", r"{\1:id}", path)
        return Route(with_ids, self._app, methods=list(self._verbs[path]), name=path)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def raw_path_of(scope: Scope) -> str:
    """The path as it was sent, in which an encoded slash does not separate."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def verb_of(scope: Scope) -> str:
    """The verb of the operation: HEAD is a GET without its body."""
    return "GET" if scope["method"] == "HEAD" else scope["method"]


def _shape_of(path: str) -> tuple[str, int]:
    """The first word of a path, which is never an id, and the number of its parts."""
    return path[1:].partition("/")[0], path.count("/")


def _last_of(path: str) -> str:
    """The last word of a path; of an operation's, empty if that is an id."""
    last = path.rpartition("/")[2]
    return "" if last.startswith("{") else last


def _ids_last(path: str) -> list[bool]:
    return [part.startswith("{") for part in path.split("/")]
