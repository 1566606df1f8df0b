"""How well-known boards name the nodes of their feeds, and what a feed's nodes propose to be.

**Source**: domain 5.5 (public feed specifications of the boards).
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from xml.parsers import expat

from handbill.core.mapping import ADDITIONAL, FIELD_NAME, KEYS, MOST_ADDITIONAL

_KEY_OF = {canonical: key for key, canonical in KEYS.items()}
_NEEDED = ("title", "description", "url", "referencenumber")
_MOST_SAMPLE_NODES = 20_000


class Board(NamedTuple):
    """``nodes``: canonical name → node; ``extra``: nodes that become fields of the client's own."""

    name: str
    nodes: Mapping[str, str]
    extra: tuple[str, ...] = ()


_INDEED = {
    "title": "title", "description": "description", "url": "url",
    "referencenumber": "referencenumber", "company": "company", "city": "city", "state": "state",
    "country": "country", "zip": "postalcode", "category": "category", "type": "jobtype",
    "date": "date",
}  # fmt: skip
_INDEED_EXTRA = (
    "requisitionid", "sourcename", "streetaddress", "salary", "education", "experience",
    "expirationdate", "remotetype",
)  # fmt: skip

BOARDS = (
    Board("Indeed", _INDEED, _INDEED_EXTRA),
    Board("Talent.com", _INDEED | {"cpc": "cpc"}, (*_INDEED_EXTRA, "isremote", "logo", "applyurl")),
    Board("Careerjet", _INDEED | {"cpc": "programmatic/bid/amount"}, _INDEED_EXTRA),
    Board(
        "Jooble",
        {
            "title": "name", "description": "description", "url": "link", "referencenumber": "@id",
            "company": "company", "city": "region", "type": "jobtype", "cpc": "cpc",
            "pubDate": "pubdate", "lastmodifieddate": "updated",
        },
        ("salary", "expire"),
    ),
    Board(
        "Adzuna",
        {
            "title": "title", "description": "description", "url": "url", "referencenumber": "id",
            "company": "company", "city": "location", "category": "category",
            "type": "contract_time", "cpc": "cpc", "date": "date",
        },
        ("salary_min", "salary_max", "contract_type"),
    ),
    Board(
        "Appcast",
        {
            "title": "title", "description": "body", "url": "url",
            "referencenumber": "job_reference", "company": "company", "city": "city",
            "state": "state", "country": "country", "zip": "zip", "category": "category",
            "type": "job_type", "date": "posted_at", "cpc": "cpc",
        },
        ("location", "mobile_friendly_apply", "cpa"),
    ),
)  # fmt: skip
"""The boards we know. A feed counts as a board's when it has the four nodes that a job needs."""

_ALSO: Mapping[str, tuple[str, ...]] = {
    "title": ("jobtitle", "job_title", "position", "name"),
    "description": ("body", "jobdescription", "job_description", "content", "content:encoded"),
    "url": ("link", "applyurl", "apply_url", "joburl", "job_url"),
    "referencenumber": (
        "referencenumber", "reference", "refnumber", "job_reference", "jobid", "job_id", "id",
        "requisitionid", "guid", "@id",
    ),
    "company": ("employer", "companyname", "company_name", "advertiser"),
    "city": ("location/city", "town", "location", "region"),
    "state": ("location/state", "region", "province"),
    "country": ("location/country", "countrycode", "country_code"),
    "zip": ("zip", "postalcode", "postcode", "zipcode", "location/postalcode", "location/zip"),
    "category": ("industry", "jobcategory", "job_category", "function"),
    "type": ("type", "jobtype", "job_type", "employmenttype", "contracttype", "contract_type"),
    "date": ("date", "dateposted", "date_posted", "posted_at", "posteddate", "posted"),
    "pubDate": ("pubdate", "published", "publisheddate", "publication_date"),
    "lastmodifieddate": ("lastmodifieddate", "updated", "modified", "modifieddate", "updated_at"),
    "cpc": ("cpc", "bid", "cpcbid", "cpc_bid"),
}  # fmt: skip
"""Other names in use, the likelier first; compared without regard to case."""


class Seen(NamedTuple):
    """What the beginning of a feed shows: where the jobs stand, and which nodes they have."""

    collection: str
    item: str
    nodes: tuple[str, ...]


def discover(nodes: Iterable[str]) -> dict[str, Any]:
    """A mapping (contract keys) for items with these nodes, without collection and item.

    The board that shares most nodes decides; what it has no name for is looked up among the other
    names in use. Empty when a node that every job needs is not there.
    """
    by_name: dict[str, str] = {}
    for node in nodes:
        by_name.setdefault(node.lower(), node)
    likely = max(BOARDS, key=lambda board: _shared(board, by_name))
    found: dict[str, str] = {}
    for canonical in _ALSO:
        names = (likely.nodes.get(canonical, ""), *_ALSO[canonical], canonical.lower())
        taken = found.values()
        named = (by_name[name] for name in names if name in by_name)
        free = next((node for node in named if node not in taken), None)
        if free is not None:
            found[canonical] = free
    if any(name not in found for name in _NEEDED):
        return {}
    mapping: dict[str, Any] = {_KEY_OF[name]: node for name, node in found.items()}
    extra = [by_name[name] for board in BOARDS for name in board.extra if name in by_name]
    mapping[ADDITIONAL] = {
        node: node
        for node in list(dict.fromkeys(extra))[:MOST_ADDITIONAL]
        if node not in found.values() and FIELD_NAME.fullmatch(node)
    }
    return mapping


def _shared(board: Board, by_name: Mapping[str, str]) -> tuple[bool, int]:
    """Whether the board's needed nodes are all there, and how many of its nodes are."""
    nodes = board.nodes
    return (
        all(nodes[name] in by_name for name in _NEEDED),
        sum(node in by_name for node in (*nodes.values(), *board.extra)),
    )


def look(head: bytes) -> Seen | None:
    """Where the jobs stand in a feed that begins like this (UTF-8); None: nowhere we recognise.

    The first node, at any depth, whose nodes make a mapping is an item. What comes after the
    sample, and what is ill-formed in it, is not looked at.
    """
    found: list[Seen] = []
    path: list[str] = []
    below: list[dict[str, None]] = []
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MOST_SAMPLE_NODES or len(path) > 32:
            raise _Enough
        for depth, nodes in enumerate(below[-3:], max(0, len(below) - 3)):
            nodes["/".join([*path[depth + 1 :], name])] = None
        path.append(name)
        below.append({f"@{attribute}": None for attribute in attributes})

    def end(name: str) -> None:
        path.pop()
        nodes = below.pop()
        if path and discover(nodes):
            found.append(Seen(path[-1], name, tuple(nodes)))
            raise _Enough

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = _no_doctype
    with suppress(_Enough, expat.ExpatError):
        parser.Parse(head, False)
    return found[0] if found else None


class _Enough(Exception):
    """Seen what there was to see."""


def _no_doctype(*_: object) -> None:
    raise _Enough
