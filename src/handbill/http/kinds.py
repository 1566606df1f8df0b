"""The kinds of operations: what each does to the records, with the options of that kind only.

Options that exclude each other cannot be written: only a look is timeless, only a change shows a
secret. Other contradictions are refused when the table is made (``Operation``).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

Need = Literal["read", "write"]
"""What a token must allow; the access room spells these as scopes."""


@dataclass(frozen=True)
class Look:
    """A GET that changes nothing. The default for GET.

    ``timeless``: its answer depends on path and records only, not on clock, settings or query, and
    so may be kept until the next change of the records is committed.
    """

    needs: Need = "read"
    timeless: bool = False
    writes: ClassVar[bool] = False


@dataclass(frozen=True)
class Mint:
    """A GET that may first have to create what it answers, such as an address."""

    needs: Need = "read"
    writes: ClassVar[bool] = True


@dataclass(frozen=True)
class Change:
    """A POST, PUT or DELETE that changes something. The default for these verbs.

    ``shows_once``: the answer is a secret; it is stored for no Idempotency-Key, and a retry is
    refused (400). ``in_journal``: the input goes to the journal, and no record changes.
    """

    shows_once: bool = False
    in_journal: bool = False
    needs: ClassVar[Need] = "write"

    @property
    def writes(self) -> bool:
        return not self.in_journal


@dataclass(frozen=True)
class Ask:
    """A POST that only reads, because the question has a body: a token that may read may call it.

    ``notes``: the answer is made later, and the request is stored until then.
    """

    notes: bool = False
    needs: ClassVar[Need] = "read"

    @property
    def writes(self) -> bool:
        return self.notes


@dataclass(frozen=True)
class Public:
    """A GET for anybody. ``bare``: it needs no records and runs on the event loop, or is awaited
    there.
    """

    bare: bool = False
    needs: ClassVar[Need] = "read"
    writes: ClassVar[bool] = False


@dataclass(frozen=True)
class Enter:
    """A POST for anybody, who proves in its body who it is: by a password, or a link's secret.

    Its answer is a secret, or nothing: it is stored for no Idempotency-Key. ``outward``: the work
    ahead of it asks another server, and may wait for seconds.
    """

    outward: bool = False
    needs: ClassVar[Need] = "write"
    writes: ClassVar[bool] = True


Kind = Look | Mint | Change | Ask | Public | Enter
_VERBS: dict[type[Kind], tuple[str, ...]] = {
    Look: ("GET",),
    Mint: ("GET",),
    Change: ("POST", "PUT", "DELETE"),
    Ask: ("POST",),
    Public: ("GET",),
    Enter: ("POST",),
}


def usual(verb: str) -> Kind:
    """The kind of an operation whose row does not name one."""
    return Look() if verb == "GET" else Change()


def fits(kind: Kind, verb: str) -> bool:
    """Whether the verb may have this kind."""
    return verb in _VERBS[type(kind)]
