"""Inbound feeds on the wire. **Source**: contract 1 (34 to 38), domain 5.1 to 5.3, 14.14."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import Field as Row

from handbill.core.amounts import read_amount
from handbill.core.mapping import (
    ADDED_KEYS,
    ADDITIONAL,
    CANONICAL,
    FIELD_NAME,
    KEYS,
    MANDATORY,
    MOST_ADDITIONAL,
    PUBLISHER,
    STRUCTURE,
)
from handbill.core.nouns import Feed
from handbill.kit.faults import Fault, pointed
from handbill.kit.instants import iso_of
from handbill.kit.urls import MOST_URL, NotUrl, canonical_url, page_url
from handbill.wire.queries import Query
from handbill.wire.shapes import (
    Faults,
    Field,
    Free,
    ListOf,
    MapOf,
    Nullable,
    Object,
    Schema,
    Text,
)
from handbill.wire.spelling import FLAG, INSTANT, OBJECT, TEXT, WHOLE, described, listed, whole

_STEP = r"[^\W\d][\w.:-]*"
_NODE = Text(
    1,
    200,
    rf"(?:{_STEP}/)*@?{_STEP}",
    "must be the name of a node: title, place/city or link/@href",
)
_VALUE = Text(0, 4_000)
_MAPPED = "Node of the feed that holds "
_NEAR = 0.95  # a slip of a letter or two


class FeedUrl(Text):
    """An http or https address; kept in its one spelling."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, str):
            return super().read(value, at, faults)
        try:
            return canonical_url(value)
        except NotUrl as bad:
            faults.append(Fault(at, str(bad)))
            return ""


def _check_publisher(found: dict[str, Any], at: str, faults: Faults) -> None:
    given = found.get(PUBLISHER)
    if given is not None and not isinstance(given, str | dict):
        faults.append(Fault(f"{at}/{PUBLISHER}", "must be a node's name or an object"))


class _Mappings(Object):
    """What nobody knows is ignored; but a key that is nearly one of ours would map nothing."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        strangers = set(value) - {*KEYS, ADDITIONAL, PUBLISHER} if isinstance(value, dict) else ()
        folded = {key.casefold(): key for key in KEYS}
        for key in sorted(strangers):
            near = get_close_matches(key.casefold()[:100], folded, 1, _NEAR)
            if near:
                here = f"{at}/{pointed(key)}"
                faults.append(Fault(here, f"is not known; did you mean {folded[near[0]]}?"))
        return super().read(value, at, faults)


_MAPPINGS = _Mappings(
    {key: Field(Nullable(_NODE), f"{_MAPPED}{name}.") for key, name in KEYS.items()}
    | {
        ADDITIONAL: Field(
            MapOf(Text(1, 64, FIELD_NAME.pattern, "must be a field's name"), MOST_ADDITIONAL),
            "Node of the feed → name of a field of the client's own.",
        ),
        PUBLISHER: Field(Free(), "Node that lists the publishers that may carry the job."),
    },
    check=_check_publisher,
)
_USER = Text(0, 200, r"[^:]*", "must not contain a colon, which ends a user name in HTTP Basic")
_CONFIG = Object(
    {
        "userAgent": Field(Text(1, 200, r"[\x20-\x7e]+"), "User-Agent of the request."),
        "auth": Field(
            Object(
                {
                    "username": Field(_USER, "User name of HTTP Basic.", required=True),
                    "password": Field(
                        Text(0, 200), "The password. It is never returned.", required=True
                    ),
                }
            ),
            "HTTP Basic credentials of the feed; never shown again.",
        ),
    }
)


def _check_value(name: str, text: str, at: str, faults: Faults) -> None:
    """A value that stands for each job's own must be one that a job can have."""
    if not text.strip():
        return
    if name == "cpc" and read_amount(text) is None:
        faults.append(Fault(at, "cannot be read as an amount"))
    if name == "url":
        try:
            page_url(text)
        except NotUrl as bad:
            faults.append(Fault(at, str(bad)))


def _known_fields(found: dict[str, Any], at: str, faults: Faults) -> None:
    """Names that can be meant; and nobody's reference may be another job's."""
    for key in ("schemaValueOverrides", "schemaValueDefaults"):
        for name in found.get(key) or {}:
            here = f"{at}/{key}/{pointed(name)}"
            if name in STRUCTURE or name == "referencenumber":
                faults.append(Fault(here, "cannot be given a value"))
            elif name not in CANONICAL and not FIELD_NAME.fullmatch(name):
                faults.append(Fault(here, "is not a field's name"))
            else:
                _check_value(name, found[key][name], here, faults)
    for n, name in enumerate(found.get("mandatoryFields") or []):
        if name not in CANONICAL:
            faults.append(Fault(f"{at}/mandatoryFields/{n}", "must be a canonical field name"))


_FIELDS = {
    "xmlFeedUrl": Field(FeedUrl(1, MOST_URL), "Address of the feed, http or https.", required=True),
    "schemaMappings": Field(
        _MAPPINGS,
        "Nodes of the feed for each field. If empty, the first run recognises well-known formats.",
    ),
    PUBLISHER: Field(Free(), "As in schemaMappings."),
    "urlParamsToStrip": Field(
        ListOf(Text(1, 100), most=50, unique=True), "Query parameters taken off every job's URL."
    ),
    "schemaValueOverrides": Field(
        MapOf(_VALUE, 100), "Field → value that replaces whatever the feed says."
    ),
    "schemaValueDefaults": Field(
        MapOf(_VALUE, 100), "Field → value where the feed says nothing."
    ),
    "mandatoryFields": Field(
        ListOf(Text(1, 40), most=len(CANONICAL), unique=True),
        "Fields without which a job is kept, but not valid; if absent: "
        + ", ".join(MANDATORY) + ".",
    ),
    "config": Field(_CONFIG, "How the feed is fetched."),
}  # fmt: skip
CREATE = Object(_FIELDS, check=_known_fields)
UPDATE = Object(
    {
        name: Field(field.shape, field.about, aliases=field.aliases)
        for name, field in _FIELDS.items()
    },
    check=_known_fields,
)
NAMES = {
    "xmlFeedUrl": "url", "urlParamsToStrip": "url_params_to_strip",
    "schemaValueOverrides": "value_overrides", "schemaValueDefaults": "value_defaults",
    "mandatoryFields": "mandatory_fields", "config": "config",
}  # fmt: skip


def spell_mappings(mappings: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with all the contract's keys; null: no node is mapped. Ours stand behind."""
    found: dict[str, Any] = {key: mappings.get(key) for key in KEYS if key not in ADDED_KEYS}
    found[ADDITIONAL] = mappings.get(ADDITIONAL) or {}
    found[PUBLISHER] = mappings.get(PUBLISHER) or {}
    return found | {key: mappings[key] for key in KEYS if key in ADDED_KEYS and mappings.get(key)}


def spell_feed(feed: Feed, client_id: str) -> dict[str, Any]:
    """A feed as the contract writes it: its sample's keys in its order, and no other."""
    body = feed.body
    return {
        "clientId": client_id,
        "source": body.url,
        "config": {key: value for key, value in body.config.items() if key != "auth"},
        "createdOn": iso_of(feed.created_at),
        "lastUpdated": iso_of(feed.updated_at),
        "active": feed.status == "A",
        "schemaMappings": spell_mappings(body.mappings),
        "urlParamsToStrip": body.url_params_to_strip,
        "id": feed.id,
        "deleted": False,
        "schemaValueOverrides": body.value_overrides,
        "schemaValueDefaults": body.value_defaults,
        "mandatoryFields": body.mandatory_fields or list(MANDATORY),
    }


FEED: Schema = whole(
    {
        "clientId": described(TEXT, "Client of the feed."),
        "source": described(TEXT, "Address that it is fetched from."),
        "config": described(OBJECT, "How the feed is fetched, without credentials."),
        "createdOn": described(INSTANT, "When it was created."),
        "lastUpdated": described(INSTANT, "When it was last changed."),
        "active": described(FLAG, "Whether it is fetched on schedule."),
        "schemaMappings": described(OBJECT, "Nodes of the feed for each field. Null: none."),
        "urlParamsToStrip": described(listed(TEXT), "Query parameters taken off every URL."),
        "id": described(TEXT, "The feed's id."),
        "deleted": described(FLAG, "Whether it is deleted."),
        "schemaValueOverrides": described(OBJECT, "Values that replace the feed's."),
        "schemaValueDefaults": described(OBJECT, "Values where the feed says nothing."),
        "mandatoryFields": described(listed(TEXT), "Fields that a valid job must have."),
    }
)
COUNTS = (
    "total", "added", "changed", "unchanged", "revived", "left", "invalid", "duplicates",
    "skipped", "api_owned", "other_feed", "deleted",
)  # fmt: skip
_COUNTS_ABOUT = (
    "Items in the feed.", "Jobs that are new.", "Jobs that say something else than before.",
    "Jobs that say the same.", "Jobs that had left and are back.",
    "Jobs that the feed no longer has.", "Jobs of the feed that are kept, but not valid.",
    "Items whose reference came again further down: the last one counts.",
    "Items without a usable reference.", "Items whose reference is of a job added by API.",
    "Items whose reference is of another feed's job.",
    "Items whose job was deleted here: it stays so until the feed drops it, or it is added by API.",
)  # fmt: skip


class RunQuery(Query):
    force: bool = Row(False, description="Take over whatever was lost.")


RUN: Schema = whole(
    {
        "id": described(TEXT, "The run's id."),
        "status": described(
            {"enum": ["QUEUED", "RUNNING", "SUCCESS", "FAILED"]}, "Stage of the run."
        ),
        "percent": described(WHOLE, "Share of the feed read, by the size it last had."),
        "reason": described(TEXT, "Why it failed, in one word; the former jobs stand."),
        "message": described(TEXT, "Further details."),
        "line": described(WHOLE, "Line of the feed at which it failed; 0: none."),
        "createdOn": described(INSTANT, "When the report was requested."),
        "endedOn": described({"anyOf": [INSTANT, {"type": "null"}]}, "When it ended."),
        "bytes": described(WHOLE, "Bytes read, unpacked."),
        "counts": described(
            whole(
                {
                    name: described(WHOLE, about)
                    for name, about in zip(COUNTS, _COUNTS_ABOUT, strict=True)
                }
            ),
            "Result for the items.",
        ),
        "faultCounts": described(OBJECT, "Faults of single jobs, by reason."),
        "faults": described(
            listed(
                whole(
                    {
                        "job": described(TEXT, "Reference of the job."),
                        "field": described(TEXT, "Canonical name of the field."),
                        "line": described(WHOLE, "Line at which the job begins; 0: not known."),
                        "reason": described(TEXT, "Code of the fault."),
                        "message": described(TEXT, "Description of the fault."),
                    }
                )
            ),
            "The first 100 of them.",
        ),
    }
)
