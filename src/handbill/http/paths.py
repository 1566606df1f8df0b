"""Where operations stand: from a raw path to the operations there and the ids in it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from handbill.http.operations import Operation


class Found(NamedTuple):
    """What stands at a path: operations by verb, and the ids in the path."""

    verbs: Mapping[str, Operation]
    ids: dict[str, str]


class _Step:
    """A place in the tree of paths, whose branches are the words, and the ids, that may follow."""

    __slots__ = ("id", "names", "verbs", "words")

    def __init__(self) -> None:
        self.words: dict[str, _Step] = {}
        self.id: _Step | None = None
        self.verbs: dict[str, Operation] = {}
        self.names: list[tuple[int, str]] = []  # of the ids, with their places in the path

    def after(self, part: str) -> "_Step":
        """The place after a part of an operation's path, made if it is new."""
        if not part.startswith("{"):
            return self.words.setdefault(part, _Step())
        self.id = self.id or _Step()
        return self.id


class Paths:
    """The paths of all operations. An id may contain an encoded slash, so raw paths are cut."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Step()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        parts = operation.path.split("/")
        step = self._root
        for part in parts[1:]:
            step = step.after(part)
        names = [(at, part[1:-1]) for at, part in enumerate(parts) if part.startswith("{")]
        if step.verbs and step.names != names:
            raise ValueError(f"{operation.path} names its ids as no other operation there does")
        step.names = names
        for verb in (operation.verb, "PATCH") if operation.verb == "PUT" else (operation.verb,):
            if verb in step.verbs:
                raise ValueError(f"{verb} {operation.path} is there twice")
            step.verbs[verb] = operation

    def find(self, raw_path: bytes, verb: str) -> Found | None:
        """The operations at a path, and the path's ids, decoded once.

        Where several paths fit, the first one that has the verb; else the first of all, with the
        verbs of each, so that 405 can name them. ``OPTIONS *`` and ``CONNECT`` name no path.
        """
        if not raw_path.startswith(b"/"):
            return None
        parts = raw_path.decode("ascii", "replace").split("/")
        fits = self._fitting(parts)
        for step in fits:
            if verb in step.verbs:
                return Found(step.verbs, _ids(step, parts))
        if not fits:
            return None
        allowed = {known: row for step in reversed(fits) for known, row in step.verbs.items()}
        return Found(allowed, _ids(fits[0], parts))

    def _fitting(self, parts: list[str]) -> list[_Step]:
        """Every place that the parts lead to. A word beats an id: /jobs/bulk before /jobs/{id}."""
        step = self._root
        for part in parts[1:]:
            word = step.words.get(part)
            if word is not None and step.id is not None:
                return self._branching(parts)
            following = word or (step.id if part else None)
            if following is None:
                return []
            step = following
        return [step] if step.verbs else []

    def _branching(self, parts: list[str]) -> list[_Step]:
        """The same where a part may be a word and an id."""
        fits: list[_Step] = []
        open_ends = [(self._root, 1)]
        while open_ends:
            step, at = open_ends.pop()
            if at == len(parts):
                if step.verbs:
                    fits.append(step)
                continue
            part = parts[at]
            if step.id is not None and part:
                open_ends.append((step.id, at + 1))
            if (word := step.words.get(part)) is not None:
                open_ends.append((word, at + 1))
        return fits


def _ids(step: _Step, parts: list[str]) -> dict[str, str]:
    return {name: unquote(parts[at], errors="replace") for at, name in step.names}
