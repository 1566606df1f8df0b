"""The node names that well-known boards use in feeds, and the mapping that a feed's nodes suggest.

**Source**: domain 5.5 (public feed specifications of the boards).
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from xml.parsers import expat

from handbill.core.feed_ends import end_nodes, is_sure_end
from handbill.core.feed_mappings import ADDITIONAL, END_KEY, KEYS
from handbill.core.feed_text import unmarked
from handbill.core.mapping import FIELD_NAME, MOST_ADDITIONAL
from handbill.dialects.inbound.mending import meant_beginning

_KEY_OF = {canonical: key for key, canonical in KEYS.items()}
_NEEDED = ("title", "description", "url", "referencenumber")
_OF_OTHERS = frozenset(
    ["company", "employer", "organization", "hiringorganization", "publisher", "author", "contact"]
)
"""Nodes that may have a name, an address and a text as jobs have, and are none."""
_MOST_SAMPLE_ITEMS = 50
_MOST_SAMPLE_NODES = 20_000
_MOST_SAMPLE_DEPTH = 32
_PROLOG = re.compile(rb"(?:\s|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)


class Board(NamedTuple):
    """``nodes``: canonical name → node; ``extra``: nodes that become fields of the client's own."""

    name: str
    nodes: Mapping[str, str]
    extra: tuple[str, ...] = ()


_INDEED = {
    "title": "title",
    "description": "description",
    "url": "url",
    "referencenumber": "referencenumber",
    "company": "company",
    "city": "city",
    "state": "state",
    "country": "country",
    "zip": "postalcode",
    "category": "category",
    "type": "jobtype",
    "date": "date",
    "expirationdate": "expirationdate",
}
_INDEED_EXTRA = (
    "requisitionid",
    "sourcename",
    "streetaddress",
    "salary",
    "education",
    "experience",
    "remotetype",
)

BOARDS = (
    Board("Indeed", _INDEED, _INDEED_EXTRA),
    Board("Talent.com", _INDEED | {"cpc": "cpc"}, (*_INDEED_EXTRA, "isremote", "logo", "applyurl")),
    Board("Careerjet", _INDEED | {"cpc": "programmatic/bid/amount"}, _INDEED_EXTRA),
    Board(
        "Jooble",
        {
            "title": "name",
            "description": "description",
            "url": "link",
            "referencenumber": "@id",
            "company": "company",
            "city": "region",
            "type": "jobtype",
            "cpc": "cpc",
            "pubDate": "pubdate",
            "lastmodifieddate": "updated",
            "expirationdate": "expire",
        },
        ("salary",),
    ),
    Board(
        "Adzuna",
        {
            "title": "title",
            "description": "description",
            "url": "url",
            "referencenumber": "id",
            "company": "company",
            "city": "location",
            "category": "category",
            "type": "contract_time",
            "cpc": "cpc",
            "date": "date",
        },
        ("salary_min", "salary_max", "contract_type"),
    ),
    Board(
        "Appcast",
        {
            "title": "title",
            "description": "body",
            "url": "url",
            "referencenumber": "job_reference",
            "company": "company",
            "city": "city",
            "state": "state",
            "country": "country",
            "zip": "zip",
            "category": "category",
            "type": "job_type",
            "date": "posted_at",
            "cpc": "cpc",
        },
        ("location", "mobile_friendly_apply", "cpa"),
    ),
)
"""The boards we know. A feed counts as a board's if it has the four nodes that a job needs."""
_UNMARKED = tuple(
    Board(
        board.name,
        {canonical: unmarked(node) for canonical, node in board.nodes.items()},
        tuple(map(unmarked, board.extra)),
    )
    for board in BOARDS
)


def _placed(*names: str) -> tuple[str, ...]:
    """These names, and the same within the nodes in use for a place."""
    around = ("", "location/", "locations/location/", "joblocation/", "address/")
    within = (*around, "joblocation/address/", "location/address/")
    return tuple(f"{place}{name}" for place in within for name in names)


_ALSO: Mapping[str, tuple[str, ...]] = {
    "title": ("jobtitle", "position", "positiontitle", "name", "titel", "titre", "titulo"),
    "description": (
        *("body", "jobdescription", "content", "encoded", "html", "descriptionhtml", "summary"),
        *("jobdescriptions", "beschreibung", "stellenbeschreibung", "descripcion"),
    ),
    "url": (
        *("link", "link/@href", "joburl", "jobposturl", "detailurl", "applyurl", "applicationurl"),
        *("absoluteurl", "hostedurl", "canonicalurl", "positionuri", "joblink", "href", "uri"),
    ),
    "referencenumber": (
        *("referencenumber", "reference", "refnumber", "refno", "jobreference", "jobref", "ref"),
        *("jobid", "id", "externalid", "requisitionid", "reqid", "guid", "identifier", "uuid"),
        *("partnerjobid", "jobnumber", "jobno", "vacancyid", "positionid", "postingid"),
        *("jobcode", "referenz", "referenznummer", "stellennummer", "key"),
    ),
    "company": (
        *("employer", "companyname", "company/name", "hiringorganization/name"),
        *("hiringorganization", "advertiser"),
        *("organization", "firma", "unternehmen", "entreprise", "empresa"),
    ),
    "city": (
        *_placed("city", "addresslocality"),
        *("town", "ort", "stadt", "ville", "ciudad", "location/name", "location", "region"),
    ),
    "state": (
        *_placed("state", "region", "addressregion", "province"),
        *("county", "bundesland", "provincia"),
    ),
    "country": (*_placed("country", "countrycode", "addresscountry"), "land", "pays", "pais"),
    "zip": (*_placed("zip", "postalcode", "postcode", "zipcode"), "plz", "codepostal", "cp"),
    "category": ("industry", "jobcategory", "function", "jobfunction", "department", "kategorie"),
    "type": ("type", "jobtype", "employmenttype", "contracttype", "worktype", "schedule"),
    "date": (
        *("date", "dateposted", "postedat", "posteddate", "posted", "postdate", "postingdate"),
        *("createdat", "created", "datecreated", "releaseddate", "datum"),
    ),
    "pubDate": ("pubdate", "published", "publisheddate", "publicationdate"),
    "lastmodifieddate": (
        *("lastmodifieddate", "updated", "modified", "modifieddate", "updatedat", "lastmodified"),
        *("lastupdated", "dateupdated", "datemodified"),
    ),
    "cpc": ("cpc", "bid", "cpcbid", "maxcpc", "clickprice", "priceperclick"),
}
"""Other names in use, the likelier first; compared without case and marks between words. The
item's attributes of these names come after its nodes, if the title is one of them.
"""


class FeedBeginning(NamedTuple):
    """What the beginning of a feed shows: where the jobs are, and which nodes they have."""

    collection: str
    item: str
    nodes: tuple[str, ...]


def discover(nodes: Iterable[str]) -> dict[str, Any]:
    """A mapping (contract keys) for items with these nodes, without collection and item.

    The board that shares most nodes decides; fields without a node of the board are searched among
    the other names in use. Empty when a node that every job needs is missing.
    """
    by_name: dict[str, str] = {}
    for node in nodes:
        by_name.setdefault(unmarked(node), node)
    likely = max(_UNMARKED, key=lambda board: _shared(board, by_name))
    node_of: dict[str, str] = {}
    for canonical in _ALSO:
        names = [likely.nodes.get(canonical, ""), *_ALSO[canonical], canonical.lower()]
        taken = node_of.values()
        if canonical in {"title", "referencenumber"} or node_of.get("title", "").startswith("@"):
            names += [f"@{name}" for name in names]
        named = (by_name[name] for name in names if name in by_name)
        free = next((node for node in named if node not in taken), None)
        if free is not None:
            node_of[canonical] = free
        elif canonical in _NEEDED:
            return {}
    mapping: dict[str, Any] = {_KEY_OF[name]: node for name, node in node_of.items()}
    ends = end_nodes(by_name.values())
    if len(ends) == 1 and is_sure_end(ends[0]):
        # Of several, a job may have filled any one: all are searched if none is mapped.
        mapping[END_KEY] = ends[0]
    parents = {name.rpartition("/")[0] for name in by_name}
    extra = [
        by_name[name]
        for board in _UNMARKED
        for name in board.extra
        if name in by_name and name not in parents
    ]
    mapping[ADDITIONAL] = {
        node: node
        for node in list(dict.fromkeys(extra))[:MOST_ADDITIONAL]
        if node not in node_of.values() and FIELD_NAME.fullmatch(node)
    }
    return mapping


def _shared(board: Board, by_name: Mapping[str, str]) -> tuple[bool, int]:
    """Whether all required nodes of the board are there, and how many of its nodes are."""
    nodes = board.nodes
    return (
        all(nodes[name] in by_name for name in _NEEDED),
        sum(node in by_name for node in (*nodes.values(), *board.extra)),
    )


def look(head: bytes) -> FeedBeginning | None:
    """Where the jobs are in a feed with this beginning (UTF-8); None: nowhere that we recognise.

    The first node, at any depth, whose nodes make a mapping is an item; the nodes of similar items
    after it are added. What is ill-formed, and what comes after it, is not looked at.
    """
    looked = _Look()
    with suppress(_Enough, expat.ExpatError):
        looked.parser.Parse(meant_beginning(_root_on(head)), False)
    if looked.place is None:
        return None
    # A link with its target only in an attribute, as in Atom, has no text to take.
    silent = {
        name
        for name in looked.nodes
        if f"{name}/@href" in looked.nodes and name not in looked.spoken
    }
    return FeedBeginning(*looked.place, tuple(name for name in looked.nodes if name not in silent))


def fault_of(head: bytes) -> tuple[int, str] | None:
    """Line and reason why the beginning of a feed cannot be read; None: what there is of it is
    valid.
    """
    root = _root_on(head)
    before = head[: len(head) - len(root)].count(b"\n")
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(meant_beginning(root), False)
    except expat.ExpatError as bad:
        return before + bad.lineno, expat.ErrorString(bad.code)
    except _Enough:
        line = before + parser.CurrentLineNumber
        return line, "document types and other declarations are not allowed"
    return None if root else (1, "empty")


def _root_on(head: bytes) -> bytes:
    """A feed's beginning from its root on: what comes before it is not read."""
    prolog = _PROLOG.match(head)
    assert prolog is not None
    return head[prolog.end() :]


class _Enough(Exception):
    """Everything that is needed was seen."""


def _refuse_doctype(*_: object) -> None:
    raise _Enough


class _Look:
    """Follows a parser: the path to where it is, and the nodes below each step of it."""

    def __init__(self) -> None:
        self.place: tuple[str, str] | None = None
        self.nodes: dict[str, None] = {}
        self.spoken: set[str] = set()
        self._path: list[str] = []
        self._below: list[dict[str, None]] = []
        self._count = self._items = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse_doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_SAMPLE_NODES or len(self._path) > _MOST_SAMPLE_DEPTH:
            raise _Enough
        # A node counts among those of the three nodes around it: a job may have location/city.
        first = max(0, len(self._path) - 3)
        for depth, nodes in enumerate(self._below[first:], first):
            nodes["/".join(map(_local, (*self._path[depth + 1 :], name)))] = None
        self._path.append(name)
        self._below.append({f"@{attribute}": None for attribute in attributes})
        if "href" in attributes and len(self._below) > 1:
            self._below[-2][f"{_local(name)}/@href"] = None

    def _text(self, text: str) -> None:
        if self._path and not text.isspace():
            self.spoken.add(_local(self._path[-1]))

    def _end(self, name: str) -> None:
        self._path.pop()
        nodes = self._below.pop()
        if not self._path:
            raise _Enough
        place = (self._path[-1], name)
        if self.place is None and unmarked(_local(name)) not in _OF_OTHERS and discover(nodes):
            self.place = place
        if self.place == place:
            self.nodes |= nodes
            self._items += 1
            if self._items >= _MOST_SAMPLE_ITEMS:
                raise _Enough


def _local(name: str) -> str:
    """The name without its prefix: a mapping may leave it out."""
    return name.rpartition(":")[2]
