"""What a feed maps: the contract's keys, the fields that they name, and what must be mapped. Pure.

**Source**: domain 5.2.
"""

from collections.abc import Mapping
from typing import Any

from handbill.core.feeds import FeedBody

KEYS = {
    "schemaMappingsJobCollection": "source",
    "schemaMappingsJob": "job",
    "schemaMappingsCompany": "company",
    "schemaMappingsTitle": "title",
    "schemaMappingsCity": "city",
    "schemaMappingsState": "state",
    "schemaMappingsCountry": "country",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsZip": "zip",
    "schemaMappingsCategory": "category",
    "schemaMappingsDatePosted": "date",
    "schemaMappingsRefNumber": "referencenumber",
    "schemaMappingsModifiedDate": "lastmodifieddate",
    "schemaMappingsPublishedDate": "pubDate",
    "schemaMappingsCPCBid": "cpc",
    "schemaMappingsType": "type",
    "schemaMappingsExpirationDate": "expirationdate",
}
"""The contract's mapping key → the canonical name of the field, in the contract's order."""
END_KEY = "schemaMappingsExpirationDate"
ADDED_KEYS = frozenset({END_KEY})
"""Keys that the contract does not have: they are returned only if they are mapped."""

ADDITIONAL, PUBLISHER = "schemaMappingAdditional", "schemaMappingPublisher"
CANONICAL = frozenset(KEYS.values())
STRUCTURE = frozenset({"source", "job"})
PLACE = ("city", "state", "country", "zip")
"""The fields that together say where a job is."""
MANDATORY = ("source", "job", "title", "description", "url", "referencenumber")
"""What a feed must have unless its ``mandatoryFields`` say otherwise."""


def nodes_of(mappings: Mapping[str, Any]) -> dict[str, str]:
    """Canonical name → node, of the fields that are mapped."""
    return {KEYS[key]: node for key, node in mappings.items() if key in KEYS and node}


def mandatory_of(feed: FeedBody) -> tuple[str, ...]:
    return tuple(feed.mandatory_fields) or MANDATORY


def unmapped(feed: FeedBody) -> list[str]:
    """The mandatory fields that have neither a node nor a fixed value.

    Also the fields that every mapping needs: where the jobs are, and what identifies them.
    """
    nodes = nodes_of(feed.mappings)
    needed = dict.fromkeys((*mandatory_of(feed), "source", "job", "referencenumber"))
    given = feed.value_overrides.keys() | feed.value_defaults.keys()
    return [
        name for name in needed if name not in nodes and (name in STRUCTURE or name not in given)
    ]


def publishers_node(mappings: Mapping[str, Any]) -> str:
    """The node that lists a job's publishers: given as text, or as an object with ``publishers``.

    In either direction: ``{"publishers": node}`` and ``{node: "publishers"}``.
    """
    given = mappings.get(PUBLISHER)
    if isinstance(given, str):
        return given
    for key, value in given.items() if isinstance(given, dict) else ():
        if key == "publishers" and isinstance(value, str):
            return value
        if value == "publishers":
            return str(key)
    return ""
