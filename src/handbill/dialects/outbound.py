"""Outbound feeds: jobs in a publisher's format, in fragments that are rendered once per job.

A fragment is the job's element as bytes, cut where the tracking URL and the bids go; only these
differ from one publication to the next. Node names follow the publisher's schema. **Source**:
domain 6.3 (schema), 6.4 (default shape); XML 1.0, 2.2 (characters), 2.7 (CDATA).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from xml.sax.saxutils import escape

import msgspec

from handbill.core.currencies import PLACES
from handbill.core.nouns import BidType, JobBody, PublisherSchema
from handbill.kit.digests import digest_of
from handbill.kit.instants import Instant, moment_of
from handbill.kit.money import MICROS

HEAD_NODES = {
    "source": "source",
    "publisherName": "publisher",
    "publisherUrl": "publisherurl",
    "jobCount": "",
    "generationTime": "",
}
"""Keys of ``PublisherSchema.head`` and their default names; ``source`` names the root."""

JOB_NODES = {
    "job": "job",
    "advertiser": "advertiser",
    "country": "country",
    "postedDate": "date",
    "city": "city",
    "refNumber": "referencenumber",
    "description": "description",
    "title": "title",
    "type": "type",
    "url": "url",
    "cpa": "cpa",
    "cpc": "cpc",
    "zip": "postalcode",
    "category": "category",
    "state": "state",
    "company": "company",
    "modifiedDate": "",
    "publishedDate": "",
}
"""Keys of ``PublisherSchema.job`` and their default names, in the order of output."""

_JSON, _SCHEMA = msgspec.json.Encoder(), msgspec.json.Decoder(PublisherSchema)
_SPLICED = ("url", "cpa", "cpc")
_OURS = (*_SPLICED, "refNumber")
_NAME = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]{0,99}", re.IGNORECASE)
_PLACE = re.compile("cif[0-9]{1,3}")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_node_name(text: str) -> bool:
    """Whether a text can be the name of a node in an outbound feed."""
    return _NAME.fullmatch(text) is not None


def kept_nodes(schema: PublisherSchema) -> frozenset[str]:
    """The nodes of each job that nothing else may replace: link, bids and reference."""
    names = {key: _given(schema.job, key, JOB_NODES[key]) for key in _OURS}
    return frozenset(filter(None, [*names.values(), "" if names["url"] else "url"]))


class Node(NamedTuple):
    """A node of each job: its name, and where its text comes from.

    ``source``: "field" with a key of JOB_NODES, "custom" with a client's own field, "literal".
    """

    name: str
    source: str
    key: str
    cdata: bool


@dataclass(frozen=True, slots=True)
class ClientSchema:
    """A publisher's schema, resolved for one client. ``digest`` distinguishes fragments."""

    root: str
    head: Mapping[str, str]
    job: str
    before: tuple[Node, ...]
    spliced: tuple[Node, ...]
    after: tuple[Node, ...]
    wrapped: frozenset[str] | None
    """Nodes to wrap in CDATA besides those above, by key or name; None: all of them."""
    currency: str
    places: int
    """The minimum number of decimals of a bid."""
    kept: frozenset[str]
    """Names of nodes that no other text may replace."""
    advertiser: str
    digest: bytes


class Fragment(NamedTuple):
    before: bytes
    after: bytes


def shape_of(
    schema: PublisherSchema, currency: str, advertiser: str, places: Mapping[str, int]
) -> ClientSchema:
    """Resolve a schema. Names that no node can have are ignored, as empty ones are.

    ``places``: the client's own fields, so that an additional node's source can be distinguished
    from a literal text; ``cif9`` and a source with the name of its node are fields in any case. The
    URL is never left out: without it no click could come back.
    """
    return _shape_of(_JSON.encode(schema), currency, advertiser, tuple(places.items()))


@lru_cache(maxsize=1_024)  # few schemas, of which each publication of a client needs all
def _shape_of(
    of: bytes, currency: str, advertiser: str, fields: tuple[tuple[str, int], ...]
) -> ClientSchema:
    schema, places = _SCHEMA.decode(of), dict(fields)
    head = {key: _given(schema.head, key, name) for key, name in HEAD_NODES.items()}
    names = {key: _given(schema.job, key, name) for key, name in JOB_NODES.items()}
    job, names["url"] = names.pop("job") or "job", names["url"] or "url"
    wrapped = None if schema.cdata is None else frozenset(schema.cdata)
    nodes = [
        Node(name, "field", key, _is_wrapped(wrapped, key, name))
        for key, name in names.items()
        if name
    ]
    at = next((n for n, node in enumerate(nodes) if node.key in _SPLICED), len(nodes))
    spliced = tuple(node for node in nodes if node.key in _SPLICED)
    taken = kept_nodes(schema)
    more = [
        _additional(name, source, places, wrapped)
        for name, source in schema.additional.items()
        if is_node_name(name) and name not in taken
    ]
    replaced = {node.name for node in more}
    rest = [node for node in nodes if node not in spliced and node.name not in replaced]
    before = tuple(node for node in rest if nodes.index(node) < at)
    after = (*(node for node in rest if node not in before), *more)
    ordered = None if wrapped is None else sorted(wrapped)
    return ClientSchema(
        root=head.pop("source") or "source",
        head=head,
        job=job,
        before=before,
        spliced=spliced,
        after=after,
        wrapped=wrapped,
        advertiser=advertiser,
        currency=currency if schema.currency_in_bid else "",
        places=PLACES.get(currency, 2),
        kept=taken,
        digest=digest_of(job, before, spliced, after, ordered, advertiser),
    )


def fragment_of(
    shape: ClientSchema, body: JobBody, publisher_id: str, born_at: Instant
) -> Fragment:
    """Render a job except its URL and bids. ``born_at`` is used if the job has no date at all.

    Nodes that the job has for this publisher alone replace nodes of the same name or are added,
    except the URL, the bids and the reference, which a job cannot set.
    """
    own = {
        name: text
        for name, text in body.publisher_nodes.get(publisher_id, {}).items()
        if is_node_name(name) and name not in shape.kept
    }
    known = {node.name for node in shape.before + shape.after} if own else ()
    before, after = (
        "".join(
            _element(
                node.name,
                own[node.name] if node.name in own else _node_text(node, shape, body, born_at),
                cdata=node.cdata,
            )
            for node in nodes
        )
        for nodes in (shape.before, shape.after)
    )
    added = "".join(
        _element(name, text, cdata=_is_wrapped(shape.wrapped, name))
        for name, text in own.items()
        if name not in known
    )
    return Fragment(f"<{shape.job}>{before}".encode(), f"{after}{added}</{shape.job}>\n".encode())


def splice_of(shape: ClientSchema, bid_type: BidType, price_micros: int) -> tuple[bytes, bytes]:
    """What goes between a fragment's two parts, at one price: before and after the tracking URL."""
    bids = {
        "cpc": price_micros if bid_type in {"CPC", "FLAT_CPC"} else 0,
        "cpa": price_micros if bid_type == "CPA" else 0,
    }
    at = next(n for n, node in enumerate(shape.spliced) if node.key == "url")
    start, end = (
        "".join(
            _element(node.name, _bid_text(shape, bids[node.key]), cdata=node.cdata)
            for node in nodes
        )
        for nodes in (shape.spliced[:at], shape.spliced[at + 1 :])
    )
    url = shape.spliced[at]
    opened, closed = ("<![CDATA[", "]]>") if url.cdata else ("", "")
    return f"{start}<{url.name}>{opened}".encode(), f"{closed}</{url.name}>{end}".encode()


def head_of(
    shape: ClientSchema, publisher_name: str, publisher_url: str, job_count: int, at: Instant
) -> bytes:
    """The file before its first job. ``at``: when its jobs or bids last changed."""
    texts = {
        "publisherName": publisher_name,
        "publisherUrl": publisher_url,
        "jobCount": str(job_count),
        "generationTime": date_text(at),
    }
    nodes = "".join(
        _element(name, texts[key], cdata=_is_wrapped(shape.wrapped, key, name)) + "\n"
        for key, name in shape.head.items()
        if name
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{shape.root}>\n{nodes}'.encode()


def foot_of(shape: ClientSchema) -> bytes:
    return f"</{shape.root}>\n".encode()


def date_text(at: Instant | None) -> str:
    """yyyy-MM-dd HH:mm:ss.SSS z, in UTC (domain 6.4)."""
    if at is None:
        return ""
    return moment_of(at).isoformat(" ", "milliseconds").replace("+00:00", " UTC")


def money_text(micros: int, places: int = 2) -> str:
    """An exact decimal with at least so many places; without decimals, a whole number."""
    whole, rest = divmod(micros, MICROS)
    figures = f"{f'{rest:06d}'.rstrip('0'):0<{places}}"
    return f"{whole}.{figures}" if figures else f"{whole}"


def _given(names: Mapping[str, str], key: str, default: str) -> str:
    name = names.get(key, default)
    return name if is_node_name(name) else ""


def _is_wrapped(wrapped: frozenset[str] | None, *names: str) -> bool:
    return wrapped is None or not wrapped.isdisjoint(names)


def _additional(
    name: str, source: str, places: Mapping[str, int], wrapped: frozenset[str] | None
) -> Node:
    cdata = _is_wrapped(wrapped, name, source)
    if source in JOB_NODES and source not in {*_SPLICED, "job"}:
        return Node(name, "field", source, cdata)
    by_place = {f"cif{place}": field for field, place in places.items()}
    if source in places or source == name:
        return Node(name, "custom", source, cdata)
    if _PLACE.fullmatch(source):
        # A field that the client has not yet: empty, as a field is that a job has not.
        return Node(name, "custom", by_place.get(source, ""), cdata)
    return Node(name, "literal", source, cdata)


def _published_at(body: JobBody) -> Instant | None:
    return body.published_at if body.published_at is not None else body.posted_at


def _posted_at(body: JobBody, born_at: Instant) -> Instant:
    posted_at = body.posted_at if body.posted_at is not None else body.published_at
    return born_at if posted_at is None else posted_at


_Reader = Callable[[ClientSchema, JobBody, Instant], str]
_READ: dict[str, _Reader] = {
    "advertiser": lambda shape, _body, _at: shape.advertiser,
    "country": lambda _, body, _at: body.country,
    "postedDate": lambda _, body, born_at: date_text(_posted_at(body, born_at)),
    "city": lambda _, body, _at: body.city,
    "refNumber": lambda _, body, _at: body.ref,
    "description": lambda _, body, _at: body.description,
    "title": lambda _, body, _at: body.title,
    "type": lambda _, body, _at: body.type,
    "zip": lambda _, body, _at: str(body.zip),
    "category": lambda _, body, _at: body.category,
    "state": lambda _, body, _at: body.state,
    "company": lambda _, body, _at: body.company,
    "modifiedDate": lambda _, body, _at: date_text(body.modified_at),
    "publishedDate": lambda _, body, _at: date_text(_published_at(body)),
}


def _node_text(node: Node, shape: ClientSchema, body: JobBody, born_at: Instant) -> str:
    if node.source == "field":
        return _READ[node.key](shape, body, born_at)
    return body.additional.get(node.key, "") if node.source == "custom" else node.key


def _element(name: str, text: str, *, cdata: bool) -> str:
    if not text:
        return f"<{name}></{name}>"
    if not text.isascii() or not text.isprintable():
        text = _ILLEGAL.sub("", text)
    if cdata:
        # A CDATA section ends at its first ]]>, so a text with that is split into two sections.
        inner = text.replace("]]>", "]]]]><![CDATA[>") if "]]>" in text else text
        return f"<{name}><![CDATA[{inner}]]></{name}>"
    return f"<{name}>{escape(text)}</{name}>"


def _bid_text(shape: ClientSchema, price_micros: int) -> str:
    text = money_text(price_micros, shape.places)
    return f"{shape.currency} {text}" if shape.currency else text
