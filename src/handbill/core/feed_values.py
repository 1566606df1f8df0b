"""One field of a feed's item: its node, its value, and what is wrong with it. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from handbill.core.feed_text import ALSO, cleaned, unescaped

_MOST_TOLD = 3  # so many values that are not kept are reported


class FieldFault(NamedTuple):
    """``reason``: missing, not_a_url, not_a_date, not_money, currency, too_long, dropped,
    not_xml, malformed, unknown_publisher.
    """

    field: str
    reason: str
    message: str


class FeedValue(NamedTuple):
    """A mapped field: its node, and its value if the node is empty."""

    name: str
    node: str
    otherwise: str


def value_of(source: FeedValue, fields: Mapping[str, str], most: int) -> str:
    text = fields.get(source.node)
    if not text:
        return source.otherwise
    if text.isprintable() and "&" not in text and "<![" not in text:
        return text.strip()[: most + 1] or source.otherwise
    return cleaned(unescaped(text), most + 1) or source.otherwise


def first_of(
    source: FeedValue, fields: Mapping[str, str], most: int, faults: list[FieldFault]
) -> str:
    """The value of a field that has one; other values of its node are reported as faults."""
    text = fields.get(source.node)
    if text and ALSO in text:
        text, *others = text.split(ALSO)
        if any(one != text for one in others):
            faults.append(dropped(source.name, others))
        return (cleaned(unescaped(text), most + 1) if text else "") or source.otherwise
    return value_of(source, fields, most)


def dropped(name: str, others: list[str]) -> FieldFault:
    shown = ", ".join(cleaned(one, 40) for one in others[:_MOST_TOLD])
    more = ", …" if len(others) > _MOST_TOLD else ""
    return FieldFault(name, "dropped", f"occurs more than once; not stored: {shown}{more}")


def cut(name: str, value: str, most: int, faults: list[FieldFault]) -> str:
    faults.append(FieldFault(name, "too_long", f"is cut to {most} characters"))
    return value[:most]
