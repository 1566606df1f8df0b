"""The table of operations: routes, gates, OpenAPI and tests are made from its rows."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, cast

import msgspec
from starlette.datastructures import Headers

from handbill.core.health import CheckResult
from handbill.core.nouns import Client
from handbill.core.persons import LiveSession
from handbill.core.trail import Actor
from handbill.host.clock import Clock
from handbill.host.documents import Documents
from handbill.host.egress import Egress
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.http.buckets import SignIns
from handbill.http.kinds import Ask, Change, Enter, Kind, Look, Need, Public, fits, usual
from handbill.kit.addresses import network_of
from handbill.kit.instants import Instant
from handbill.kit.jsons import encode
from handbill.store.blobs import Blobs
from handbill.store.journal import JournalWriter
from handbill.store.records import Records, Tx
from handbill.wire.bodies import Array, ListOf, OneOrMany
from handbill.wire.models import Model, spelled
from handbill.wire.queries import Paged, Query
from handbill.wire.values import NOT_GIVEN, Schema

Role = Literal["agency", "partner", "key", "person", "public"]
"""Who may call: an agency or a publisher partner, with key and token, or a person of theirs with a
session; ``key``: any key, no token required; ``person``: only a session; ``public``: anybody."""

OpenTo = Literal["", "owner", "employer", "operator"]
"""Which people of an agency may call an operation: all but an employer's; only those who mind the
agency itself, its people and keys; or an employer's too, for the clients that they may see. Of the
operations for people: all, or only those who operate the installation."""

Lane = Literal["quick", "bulk", "slow", "stream"]
"""How the work is done: quick, at once; bulk, many records at a time; slow, may take seconds;
stream, its body is made while it is sent. None waits for another. A quick GET with a large
``limit`` is bulk."""

ClientHeader = Literal["", "x-client-id", "s2s"]
"""Which header names the client: none, ``x-client-id``, or the three spellings of S2S."""

PAGED = Paged
_OF_AGENCIES = ("", "owner", "employer")
_BY_VERB = cast(Kind, None)
JSON = "application/json; charset=utf-8"


class Caller(msgspec.Struct, frozen=True):
    """Who holds the key. ``owner_no``: the agency's or the publisher family's row number.

    ``key_no``: of the credential, negative for a person's. ``api_client_id``: whose token was sent
    with it; empty where no token is required, and for a person.
    """

    role: Role
    owner_no: int
    owner_id: str
    key_no: int
    api_client_id: str = ""
    standing: LiveSession | None = None
    """The session, if it is a person's."""

    @property
    def agency_no(self) -> int:
        """The agency's number; only operations for agencies may ask."""
        if self.role != "agency":
            raise TypeError("a partner has no agency")
        return self.owner_no

    @property
    def only_clients(self) -> frozenset[int] | None:
        """The only clients that an employer's person may see; None: all of the owner's."""
        return None if self.standing is None else self.standing.clients

    @property
    def who(self) -> tuple[Actor, str]:
        """Who acts, as changes name it."""
        if self.standing is not None:
            return "PERSON", self.standing.person_id
        return "API_CLIENT", self.api_client_id

    @property
    def name(self) -> str:
        """The owner among all owners."""
        return f"{self.role}:{self.owner_no}"


class Admitted(NamedTuple):
    """The owner of a token, and what the token allows."""

    api_client_id: str
    needs: frozenset[Need]


class Doors(Protocol):
    """May this caller access that? The access and clients rooms answer; passed in from above."""

    def caller(self, tx: Tx, api_key: str, now: Instant) -> Caller | None:
        """The owner of a key; None for every kind of bad key."""
        ...

    def admits(self, tx: Tx, caller: Caller, token: str, now: Instant) -> Admitted | None:
        """The owner of a valid token, if it is also the owner of the key; else None."""
        ...

    def person(self, tx: Tx, session: str, now: Instant) -> Caller | None:
        """The person of a live session, in the agency or family where it works; None for every
        kind of bad one.
        """
        ...

    def currency(self, tx: Tx, caller: Caller) -> str:
        """The currency of the caller's amounts; empty for a publisher partner."""
        ...

    def client(
        self, tx: Tx, caller: Caller, client_id: str, *, hold: bool = False
    ) -> Client | None:
        """The agency's own live client, or None. ``hold``: locked until the transaction ends, and
        as it is after the wait.
        """
        ...

    def hold_owner(self, tx: Tx, caller: Caller) -> None:
        """Let no other conditional change of this owner's things begin until this one ends."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What operations work with, chosen by the composition root."""

    records: Records
    blobs: Blobs
    journal: JournalWriter
    clock: Clock
    ids: Ids
    settings: Settings
    doors: Doors
    egress: Egress = field(default_factory=Egress)
    documents: Documents = field(default_factory=Documents)
    sign_ins: SignIns = field(default_factory=SignIns)
    schedule: Sequence[Any] = ()
    """What is enqueued by the clock in this release: items of ``work.tools.Schedule``."""
    watch: Callable[[], Awaitable[list[CheckResult]]] | None = None
    """What else must be available for this door to be ready, besides its journal."""


@dataclass(slots=True)
class Call:
    """One request that has passed its gates. Each row says how ``body`` and ``query`` are read."""

    tx: Tx
    desk: Desk
    now: Instant
    request_id: str
    path: Mapping[str, str]
    query: Any
    body: Any
    headers: Headers
    url: str
    maybe_caller: Caller | None = None
    maybe_client: Client | None = None
    peer: str = ""
    """The caller's address; empty: it is not known."""
    proved: Any = None
    """What the operation found out ahead of its transaction."""

    @property
    def network(self) -> str:
        """From where the request came, as limits count it."""
        return network_of(self.peer)

    @property
    def caller(self) -> Caller:
        assert self.maybe_caller is not None, "the operation is public"
        return self.maybe_caller

    @property
    def standing(self) -> LiveSession:
        """The session; only operations for people may ask."""
        assert self.caller.standing is not None, "the operation is for people"
        return self.caller.standing

    @property
    def client(self) -> Client:
        """The client of the path, the query or the header: live, and the caller's own."""
        assert self.maybe_client is not None, "the operation names no client"
        return self.maybe_client

    @property
    def ids(self) -> Ids:
        return self.desk.ids

    @property
    def settings(self) -> Settings:
        return self.desk.settings


NO_RECORDS = cast(Tx, None)
"""The transaction of a call whose operation is ``bare``."""

NO_JOURNAL = cast(JournalWriter, None)
"""The journal of a process that only reads."""


class Answer(msgspec.Struct, frozen=True):
    """An answer other than plain 200 with JSON. ``raw`` replaces the JSON body.

    So do ``chunks``: a body that is made while it is sent, in threads, outside any transaction;
    they are closed if they can be. Only for a GET, or an operation that is ``slow``.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = {}
    raw: bytes | None = None
    media_type: str = JSON
    chunks: Iterator[bytes] | None = None


def body_in(answer: Answer) -> bytes:
    """The body, serialised as JSON unless the answer is raw."""
    return encode(spelled(answer.body)) if answer.raw is None else answer.raw


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. The gates pass only valid calls on to ``work``, which returns the JSON body
    (200) or an ``Answer``, or raises ``Refused``.

    ``number`` is the contract's (section 1), None for an addition. A path with ``{client_id}``
    names the client; so does a query field ``client_id``.
    """

    name: str
    verb: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    title: str
    about: str
    work: Callable[[Call], Any]
    answer: Schema | type[Model] | ListOf
    number: int | None = None
    tag: str = ""
    """Its chapter of the document; empty: the chapter of its room."""
    kind: Kind = _BY_VERB
    """What it does to the records; by default GET looks, and other verbs change."""
    role: Role = "agency"
    """Who may call; ignored where the kind is public."""
    open_to: OpenTo = ""
    """Which people of an agency may call; it says nothing about keys."""
    ahead: Callable[[Call], Callable[[], Any]] | None = None
    """Work that takes a processor for long, such as proving a password. It reads what that work
    needs, and returns the work, which is done by few at a time, in no transaction, before the one
    that writes; ``proved`` is what it returned."""
    client_header: ClientHeader = ""
    query: type[Query] = Query
    body: type[Model] | OneOrMany | Array | None = None
    many: bool = False
    """The body may be an array; then 8 MB are allowed instead of 1."""
    must_have_body: bool = True
    """Whether a body is required; otherwise a missing one is read as ``{}``."""
    lane: Lane = "quick"
    """Bulk, slow and stream never run on the event loop, and answers of slow and stream are not
    stored for an Idempotency-Key. Slow operations do not write, so that no writer waits for them.
    """
    body_names: bool = False
    """The body refers to things by their ids: an unknown id is 404."""
    success: int = 200
    media_types: tuple[str, ...] = ("application/json",)
    """The media types of a successful answer."""
    sample: Any = NOT_GIVEN
    """The request sample of the reference."""
    sample_answer: Any = NOT_GIVEN

    def __post_init__(self) -> None:
        """**Refuses** (ValueError) contradictory rows."""
        kind = self.kind or usual(self.verb)
        object.__setattr__(self, "kind", kind)
        if isinstance(kind, Public | Enter):
            object.__setattr__(self, "role", "public")
        for wrong, why in (
            (not fits(kind, self.verb), f"a {self.verb} is no {type(kind).__name__}"),
            (
                self.role == "public" and not isinstance(kind, Public | Enter),
                "what is public is Public or Enter",
            ),
            (
                self.open_to not in (("", "operator") if self.role == "person" else _OF_AGENCIES)
                or (self.open_to and self.role not in {"agency", "person"}),
                "it has no such people",
            ),
            (self.open_to == "employer" and kind.writes, "an employer changes nothing"),
            (self.ahead is not None and not kind.writes, "nothing is proved before a look"),
            (self.role != "agency" and self.client_header, "only an agency has clients"),
            (self.role == "key" and not isinstance(kind, Ask), "a key alone may only ask"),
            (self.verb == "GET" and self.body is not None, "a GET has no body"),
            (self.body is None and (self.many or self.body_names), "there is no body"),
            (self.body is None and not self.must_have_body, "there is no body"),
            (self.slow and self.role == "public", "who is slow has an owner"),
            (self.lane in {"slow", "bulk"} and kind.writes, "nobody waits for what is slow"),
            (self.timeless and (self.query.model_fields or self.lane != "quick"), "not timeless"),
            (self.timeless and (self.client_header or self.role != "agency"), "not timeless"),
        ):
            if wrong:
                raise ValueError(f"{self.name}: {why}")

    @cached_property
    def slow(self) -> bool:
        """Whether it may take seconds."""
        return self.lane in {"slow", "stream"}

    @cached_property
    def needs(self) -> Need:
        """What the token must allow."""
        return self.kind.needs

    @cached_property
    def writes(self) -> bool:
        """Whether the work needs a transaction that may write."""
        return self.kind.writes

    @cached_property
    def timeless(self) -> bool:
        return isinstance(self.kind, Look) and self.kind.timeless

    @cached_property
    def shows_once(self) -> bool:
        return isinstance(self.kind, Change) and self.kind.shows_once

    @cached_property
    def bare(self) -> bool:
        return isinstance(self.kind, Public) and self.kind.bare

    @cached_property
    def may_be_retried(self) -> bool:
        """Whether its answer is stored for an Idempotency-Key."""
        return self.verb == "POST" and self.role in {"agency", "partner"} and not self.slow
