"""A bid is read in the currency that is said of it, by whatever is nearest to it."""

from datetime import UTC

import pytest

from handbill.core.feed_mappings import KEYS
from handbill.core.feeds import FeedBody
from handbill.core.mapping import compile_mapping
from handbill.dialects.inbound.dates import read_instant

_ITEM = {
    "title": "t",
    "description": "d",
    "url": "https://x.example/1",
    "referencenumber": "1",
}


@pytest.mark.parametrize(
    ("node", "said", "micros", "currency", "reasons"),
    [
        ("cpc_cents", {"currency": "USD"}, None, "", ["not_money"]),
        ("cpcInCents", {"cpcInCents/@currency": "USD"}, None, "", ["not_money"]),
        ("cpc_eur", {"currency": "USD"}, 1_500_000, "EUR", []),
        ("cpc_usd", {"currency": "EUR"}, 1_500_000, "", []),
        ("cpc_usd", {"cpc_usd/@currency": "EUR"}, 1_500_000, "EUR", []),
    ],
)
def test_its_nodes_own_name_counts_before_what_is_said_of_the_item(
    node: str, said: dict[str, str], micros: int | None, currency: str, reasons: list[str]
) -> None:
    mappings = dict(KEYS) | {"schemaMappingsCPCBid": node}
    found = compile_mapping(FeedBody(url="u", mappings=mappings), UTC, "USD", read_instant)(
        _ITEM | {node: "1.5"} | said
    )
    assert found.body is not None
    assert (found.body.cpc_micros, found.body.cpc_currency) == (micros, currency)
    assert [fault.reason for fault in found.faults if fault.field == "cpc"] == reasons
