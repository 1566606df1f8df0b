"""A thread's own connection to an engine."""

import os
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> None: ...


_C = TypeVar("_C", bound=Closable)


class HeldConnection(Generic[_C]):
    """A thread's own connection, closed with the thread at the latest; a copy of it in a forked
    process is left alone: closing that would end the connection here as well.
    """

    __slots__ = ("__weakref__", "_process", "connection")

    def __init__(self, connection: _C) -> None:
        self.connection = connection
        self._process = os.getpid()

    def __del__(self) -> None:
        if os.getpid() == self._process:
            self.connection.close()
