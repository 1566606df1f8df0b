"""The kinds of operations: what one does to the records, and what can be said of that kind alone.

What cannot be together cannot be written down: only a look is timeless, only a change shows a
secret. What else does not fit is refused when the table is made (``Operation``).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

Need = Literal["read", "write"]
"""What a token must allow; the access room spells these as scopes."""


@dataclass(frozen=True)
class Look:
    """A GET that changes nothing. What a GET is unless it says otherwise.

    ``timeless``: its answer follows from path and records alone, not from clock, settings or query:
    it may be kept until a change is committed to the records.
    """

    needs: Need = "read"
    timeless: bool = False
    writes: ClassVar[bool] = False


@dataclass(frozen=True)
class Mint:
    """A GET that may first have to make what it answers, such as an address."""

    needs: Need = "read"
    writes: ClassVar[bool] = True


@dataclass(frozen=True)
class Change:
    """A POST, PUT or DELETE that changes something. What they are unless they say otherwise.

    ``shows_once``: the answer is a secret; it is kept for no Idempotency-Key, and a retry is
    refused (400). ``in_journal``: what comes is kept in the journal, and no record changes.
    """

    shows_once: bool = False
    in_journal: bool = False
    needs: ClassVar[Need] = "write"

    @property
    def writes(self) -> bool:
        return not self.in_journal


@dataclass(frozen=True)
class Ask:
    """A POST that only asks, because the question has a body: whoever may read may ask.

    ``notes``: what is asked for is made later, and noted until then.
    """

    notes: bool = False
    needs: ClassVar[Need] = "read"

    @property
    def writes(self) -> bool:
        return self.notes


@dataclass(frozen=True)
class Public:
    """A GET by anybody. ``bare``: it needs no records and is answered on the event loop, or awaited
    there.
    """

    bare: bool = False
    needs: ClassVar[Need] = "read"
    writes: ClassVar[bool] = False


Kind = Look | Mint | Change | Ask | Public
_VERBS: dict[type[Kind], tuple[str, ...]] = {
    Look: ("GET",),
    Mint: ("GET",),
    Change: ("POST", "PUT", "DELETE"),
    Ask: ("POST",),
    Public: ("GET",),
}


def usual(verb: str) -> Kind:
    """What an operation is whose row does not say."""
    return Look() if verb == "GET" else Change()


def fits(kind: Kind, verb: str) -> bool:
    """Whether there is such a thing."""
    return verb in _VERBS[type(kind)]
