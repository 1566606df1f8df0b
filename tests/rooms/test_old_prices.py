"""Clicks at prices that have ended, from a publisher's real file and fetches to the ledger."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.contract.explain.telling import click_told
from handbill.core.received import ReceivedFetch, click_of
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.ledger.explaining import ExplainSources, explain
from handbill.ledger.judge import Judge
from handbill.ledger.service import export
from handbill.listings.rows import files_of
from handbill.store.records import Records
from market import HUMAN, RULES, Lines
from rooms.listing_market import open_market
from rooms.listing_reader import listed, opened, rematch, shop

OLD, NEW = 1_500_000, 700_000


@pytest.mark.parametrize("fetches", [True, False])
def test_an_old_price_is_paid_until_no_copy_shows_it_any_more(
    records: Records, tmp_path: Path, fetches: bool
) -> None:
    """At the lower price after two days; not at all a day later, if the publisher has fetched."""
    market = open_market(records, tmp_path)
    client, group, publisher = shop(market)
    ref = market.job(client)
    rematch(market, client)
    link = opened(listed(market, publisher)[ref])
    market.clock.forward(HOUR)
    group.body.cpc_bid_micros = NEW
    market.save(group)
    rematch(market, client)
    assert opened(listed(market, publisher)[ref]).bid_micros == NEW
    journal = Lines()
    if fetches:
        with records.read() as tx:
            (file,) = files_of(tx, publisher.no)
        journal.add(
            [
                ReceivedFetch(
                    at=market.now() + MINUTE,
                    name=file.name,
                    version=file.written_at or 0,
                    status=200,
                    reader="board/1",
                )
            ]
        )
    judge = Judge(
        records=records,
        blobs=market.tools.blobs,
        journal=journal,
        clock=market.clock,
        ids=market.ids,
        rules=RULES,
    )

    def clicked(ahead: str = "") -> tuple[Any, ...]:
        """What becomes of a click on the old link now; its explanation says the same."""
        random = market.ids.bytes(16)
        event = click_of(random, market.now(), link, f"203.0.113.{random[0]}", HUMAN)
        journal.add([msgspec.structs.replace(event, ahead=ahead)])
        while judge.step():
            pass
        lines = export(records, market.tools.blobs, market.tools.scratch)
        last = max(lines, key=lambda line: str(line["at"]))
        with records.read() as tx:
            files = market.tools.blobs, journal, market.tools.scratch
            desk = ExplainSources(tx, *files, market.now(), market.now() - 400 * DAY)
            told = click_told(tx, client, explain(desk, client, random.hex()))
        assert (told.disposition, told.reason) == (last["disposition"], last["reason"])
        decided = [(one.step, one.saw.replaced_at) for one in told.checks if one.found == "DECIDED"]
        step = {"price_too_old": "LATENT", "head": "VISIT", "prefetch": "VISIT"}.get(
            told.reason or ""
        )
        assert [one for one, _ in decided] == ([step] if step else [])
        assert all((replaced is not None) is (one == "LATENT") for one, replaced in decided)
        return last["disposition"], last["reason"], last["spendMicros"]

    market.clock.forward(MINUTE)
    assert clicked() == ("valid", None, OLD)
    market.clock.forward(2 * DAY)
    assert clicked() == ("valid", None, NEW)
    market.clock.forward(DAY + MINUTE)
    assert clicked() == (("latent", "price_too_old", 0) if fetches else ("valid", None, NEW))
    market.clock.forward(MINUTE)
    assert clicked("head") == ("bot", "head", 0)
    market.clock.forward(MINUTE)
    assert clicked("prefetch") == ("bot", "prefetch", 0)
    market.tools.index.close()
