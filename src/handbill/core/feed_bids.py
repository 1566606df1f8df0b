"""The bid of a feed's item, and its currency. Pure."""

from collections.abc import Container, Mapping
from typing import NamedTuple

from handbill.core.amounts import (
    Amount,
    Tellers,
    is_of_cents,
    other_model,
    read_amount,
    said_of,
)
from handbill.core.feed_text import cleaned
from handbill.core.feed_values import FeedValue, FieldFault, first_of

_MOST_SHORT = 100


class Bids(NamedTuple):
    """How bids are read. ``tellers``: an item's nodes → those that give its bid's currency.
    ``by_name``: what the bid's node says of it by its own name. ``head_currency``: the feed's, for
    bids of which nothing else is said.
    """

    read: Mapping[str, Amount | None]
    currency: str
    tellers: Mapping[tuple[str, ...], Tellers]
    rated: Container[str] | None
    head_currency: str
    by_name: str = ""


def bid_in(
    source: FeedValue, fields: Mapping[str, str], bids: Bids, faults: list[FieldFault]
) -> tuple[int | None, str]:
    """The bid, and its currency; empty: the agency's."""
    text = first_of(source, fields, _MOST_SHORT, faults)
    if not text:
        return None, ""
    amount = bids.read[text]
    if amount is None:
        faults.append(FieldFault("cpc", "not_money", f"cannot be read as an amount: {text[:40]}"))
        return None, ""
    telling = bids.tellers[tuple(fields)]
    if telling.models and (model := other_model(telling, fields)):
        message = f"is paid for something else than a click: {cleaned(model)[:40]}"
        faults.append(FieldFault("cpc", "not_money", message))
        return None, ""
    unit = said_of(telling, fields, bids.by_name)
    if not unit and amount.currencies is None and not telling.pays:
        unit = bids.head_currency
    if is_of_cents(unit):
        message = f"is in parts of a currency, not in {bids.currency}: {text[:40]} {unit[:40]}"
        faults.append(FieldFault("cpc", "not_money", message))
        return None, ""
    if amount.may_be_in(bids.currency, unit):
        return amount.micros, ""
    other = amount.must_be_in(unit)
    if other and (read := read_amount(text, other)) is not None:
        if bids.rated is not None and other not in bids.rated:
            message = f"is in {other}, for which there is no exchange rate: set one"
            faults.append(FieldFault("cpc", "currency", message))
        return read.micros, other
    message = f"is in a currency that cannot be determined: {text[:40]} {unit[:40]}"
    faults.append(FieldFault("cpc", "currency", message))
    return None, ""
