"""Which operations a path names."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from starlette.types import Scope

from handbill.http.operations import Operation


class NamedPath(NamedTuple):
    """The operations of a path, by verb, and the ids that a path names."""

    verbs: dict[str, Operation]
    ids: dict[str, str]


@dataclass(slots=True)
class _Step:
    """One part of paths. ``words``: what may follow it; ``by_id``: what follows it if that is an
    id; ``verbs``: the operations whose path ends here.
    """

    words: dict[str, "_Step"] = field(default_factory=dict)
    by_id: "_Step | None" = None
    path: str = ""
    verbs: dict[str, Operation] = field(default_factory=dict)


class Paths:
    """The paths of all operations. An id is anything between two slashes, decoded once, so that it
    may contain a slash.

    If several paths fit, the first one with the verb is taken; else the first of all, with the
    verbs of each, so that 405 can list them. A word wins over an id: /jobs/bulk before /jobs/{id}.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Step()
        for operation in operations:
            step = self._step_of(operation.path)
            for verb in ("PUT", "PATCH") if operation.verb == "PUT" else (operation.verb,):
                if verb in step.verbs:
                    raise ValueError(f"{verb} {operation.path} is given twice")
                step.verbs[verb] = operation

    def find(self, raw_path: str, verb: str) -> NamedPath | None:
        """The operations at a path as it was sent; None if no path fits."""
        parts = raw_path.split("/")
        steps = [self._root]
        for part in parts[1:]:
            following = []
            for step in steps:
                if part in step.words:
                    following.append(step.words[part])
                if part and step.by_id is not None:
                    following.append(step.by_id)
            steps = following
        fits = [step for step in steps if step.verbs]
        if not fits or parts[0]:
            return None
        for step in fits:
            if verb in step.verbs:
                return NamedPath(step.verbs, _ids(step.path, parts))
        allowed = {known: row for step in reversed(fits) for known, row in step.verbs.items()}
        return NamedPath(allowed, _ids(fits[0].path, parts))

    def _step_of(self, path: str) -> _Step:
        step = self._root
        for part in path.split("/")[1:]:
            if part.startswith("{"):
                step.by_id = step.by_id or _Step()
                step = step.by_id
            else:
                step = step.words.setdefault(part, _Step())
        if step.path not in {"", path}:
            raise ValueError(f"{path} and {step.path} are one path")
        step.path = path
        return step


def _ids(path: str, parts: list[str]) -> dict[str, str]:
    return {
        name[1:-1]: unquote(part, errors="replace")
        for name, part in zip(path.split("/"), parts, strict=True)
        if name.startswith("{")
    }


def raw_path_of(scope: Scope) -> str:
    """The path as it was sent, in which an encoded slash does not separate."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def verb_of(scope: Scope) -> str:
    """The verb of the operation: HEAD is a GET without its body."""
    return "GET" if scope["method"] == "HEAD" else scope["method"]
