"""What can be refused, and how it is said. A refusal is a value; only the last step raises it."""

import errno
from dataclasses import dataclass, field

_PASSING = frozenset(
    (
        errno.EAGAIN,
        errno.EBUSY,
        errno.EDQUOT,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.EROFS,
        errno.ESTALE,
    )
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input, and what to do about it. ``field``: a JSON pointer, or in
    services the path of a noun's attribute, such as ``entities.0.publisher_id``.
    """

    field: str
    message: str


def pointed(name: str) -> str:
    """A key as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def unpointed(step: str) -> str:
    """The key of a step of a JSON pointer."""
    return step.replace("~1", "/").replace("~0", "~")


def step_of(key: str) -> str:
    """A free key as a step of a path of attributes, such as ``caps.A~1B.budget``."""
    return key.replace("~", "~0").replace(".", "~1")


def step_said(step: str) -> str:
    """The key of a step of a path of attributes."""
    return step.replace("~1", ".").replace("~0", "~")


@dataclass(slots=True)
class Refused(Exception):
    """Caused by the caller or a business rule. Carries the contract's code and a safe message.

    ``gate``: for the log only, which gate about the caller was not passed. ``retry_seconds``: it
    may be tried again after so long.
    """

    status: int
    message: str
    faults: list[Fault] = field(default_factory=list)
    gate: str = ""
    retry_seconds: int = 0

    def __str__(self) -> str:
        return f"{self.status} {self.message}"


def bad_request(faults: list[Fault], message: str = "Bad request") -> Refused:
    """400 with every fault gathered."""
    return Refused(400, message, faults)


def refused_state(pointer: str, message: str) -> Refused:
    """400: the request is well formed, but the state of the entity forbids it."""
    return Refused(400, message, [Fault(pointer, message)])


def too_many(message: str, seconds: int = 5) -> Refused:
    """429: the caller has too many of these under way, or all have; try again later."""
    return Refused(429, message, retry_seconds=seconds)


def not_found() -> Refused:
    """404: the same answer for foreign, deleted, unknown and wrongly placed ids."""
    return Refused(404, "Not found")


class Unavailable(Exception):
    """Caused by the environment: a peer, a disk, a lock. To be retried and counted."""


def passes(failure: BaseException) -> bool:
    """Whether a failure is the environment's and may pass by the next try; else a bug."""
    if isinstance(failure, OSError):
        return failure.errno in _PASSING
    return isinstance(failure, Unavailable | MemoryError)
