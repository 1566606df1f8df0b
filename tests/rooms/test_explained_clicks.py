"""What an explanation says of a click: each class and reason, caps as they stood, what followed."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from handbill.access.keys import ensure_secrets, secret
from handbill.changes import service as changes
from handbill.clients.service import clients_by_number
from handbill.contract.explain.clicks import ClickExplanation
from handbill.contract.explain.telling import click_told
from handbill.core.click_checks import STEPS
from handbill.core.listing_tokens import SealedClick, click_id
from handbill.core.nouns import Cap, Caps, ClientBody, GroupBody, Placement
from handbill.kit.faults import Refused
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, Instant
from handbill.ledger import explaining
from handbill.ledger.explaining import ExplainedClick, ExplainSources
from handbill.store import segments
from handbill.store.records import Records
from handbill.store.records.tables import clients, groups
from market import BOT_AGENT, Market

MICROS = 1_000_000


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    found = Market(records, tmp_path)
    with records.write() as tx:
        ensure_secrets(tx, found.ids, found.clock.now())
    return found


def sealed(market: Market, click: SealedClick) -> str:
    with market.records.read() as tx:
        ((kid, key),) = secret(tx, "listing").items()
    return click_id(click, kid, key)


def explained(
    market: Market, click: SealedClick | str, client_no: int = 0, kept: Instant = 400 * DAY
) -> tuple[ExplainedClick, ClickExplanation]:
    text = click if isinstance(click, str) else click.random.hex()
    client_no = client_no or (0 if isinstance(click, str) else click.listing.client_no)
    with market.records.read() as tx:
        client = clients_by_number(tx, [client_no])[client_no]
        now = market.clock.now()
        desk = ExplainSources(tx, market.blobs, market.journal, market.scratch, now, now - kept)
        found = explaining.explain(desk, client, text)
        return found, click_told(tx, client, found)


def test_each_class_says_which_step_decided(market: Market) -> None:
    listing = market.listing(caps=Caps(clicks=Cap("Daily", 1)))
    bot = market.clicked(listing, agent=BOT_AGENT, ip="203.0.113.1")
    nameless = market.clicked(listing, agent=" ", ip="203.0.113.2")
    valid = market.clicked(listing, ip="203.0.113.3")
    again = market.clicked(listing, ip="203.0.113.3", at=market.clock.now() + SECOND)
    full = market.clicked(listing, ip="203.0.113.4", at=market.clock.now() + 2 * SECOND)
    long_ago = (market.clock.now() - 500 * DAY) // 1_000 * 1_000
    latent = market.clicked(msgspec.structs.replace(listing, listed_at=long_ago), ip="203.0.113.5")
    market.clock.forward(MINUTE)
    market.judge_all()
    expected = {
        bot: ("bot", "agent_list", "AGENT"),
        nameless: ("bot", "no_agent", "AGENT"),
        valid: ("valid", None, None),
        again: ("duplicate", "same_visitor", "DUPLICATE"),
        full: ("over_cap", "client_clicks_daily", None),
        latent: ("latent", "old_link", "LATENT"),
    }
    for click, (disposition, reason, step) in expected.items():
        _, told = explained(market, sealed(market, click), listing.client_no)
        assert (told.disposition, told.reason, told.state) == (disposition, reason, "JUDGED")
        assert [one.step for one in told.checks] == list(STEPS)
        decided = [one.step for one in told.checks if one.found == "DECIDED"]
        assert decided == ([step] if step else [])
        results = [one.found for one in told.checks]
        if step:
            assert set(results[STEPS.index(step) + 1 :]) <= {"NOT_REACHED"}
        assert "NOT_REACHED" not in results[: STEPS.index(step) if step else None]
        off = {one.step for one in told.checks if one.found == "OFF"}
        assert off == (set() if disposition == "bot" else {"ADDRESS_LIST", "ADDRESS_RATE"}) | (
            set() if step == "DUPLICATE" or disposition == "bot" else {"FOREIGN"}
        )
        assert told.ref is None, "the job is not there"
        assert [one.decided for one in told.caps] == [disposition == "over_cap"]
        assert (told.link.bid_micros, told.link.listed_at) == (MICROS, click.listing.listed_at)
    _, told = explained(market, again)
    (check,) = [one for one in told.checks if one.step == "DUPLICATE"]
    assert (check.saw.first_id, check.saw.opened_at) == (valid.random.hex(), valid.at)
    assert told.rules is not None
    assert (told.link.bid_micros, told.rules.duplicate_seconds) == (MICROS, 30)
    _, told = explained(market, bot)
    (check,) = [one for one in told.checks if one.step == "AGENT"]
    assert check.saw.agent_text == BOT_AGENT
    _, told = explained(market, valid)
    assert all(one.saw.agent_text is None for one in told.checks), "of people nothing is told"
    assert not any("rules" in one for one in told.unknown)


def test_caps_as_they_stood_then(market: Market) -> None:
    """Changed since, by the trail; used until then, by days and the day's own entries."""
    caps = Caps(budget=Cap("Monthly", 5 * MICROS), clicks=Cap("Lifetime", 9))
    listing = market.listing(caps=caps)
    group = GroupBody(
        "g1",
        caps=Caps(budget=Cap("Weekly", 4 * MICROS), job_clicks=Cap("Weekly", 8)),
        placements=[
            Placement("Board"),
            Placement("Else", budget=Cap("Weekly", 2 * MICROS, locked=True)),
        ],
    )
    market.publisher("Else")
    market.change(groups, listing.group_no, group)
    clicks = []
    for wait in (0, HOUR, DAY, HOUR):
        market.clock.forward(wait)
        clicks.append(market.clicked(listing))
        market.judge_all()
    market.clock.forward(HOUR)
    body = ClientBody(company_name="c1", exported_name="c1", caps=Caps(clicks=Cap("Daily", 1)))
    with market.records.write() as tx:
        text = msgspec.json.encode(body).decode()
        changes.change(tx, market.clock.now(), clients, {"no": listing.client_no}, body=text)
    told = [explained(market, click)[1] for click in clicks]
    stood = [
        {(one.level, one.measure): (one.value, one.used, one.reserved) for one in it.caps}
        for it in told
    ]
    for n, one in enumerate(stood[:2]):
        assert one == {
            ("client", "budget"): (5, n, 0),
            ("client", "clicks"): (9, n, 0),
            ("group", "budget"): (4, n, 2),
            ("group_job", "clicks"): (8, n, 0),
        }
    assert [one["client", "clicks"][1] for one in stood] == [0, 1, 2, 2]
    assert stood[3]["group", "budget"] == (4, 2, 2)
    decided = [[one.level for one in it.caps if one.decided] for it in told]
    assert decided == [[], [], ["group"], ["group"]]
    assert not any(one.as_now for it in told for one in it.caps)


def test_what_followed_and_what_waits(market: Market) -> None:
    listing = market.listing("CPA")
    click = market.clicked(listing)
    market.judge_all()
    market.clock.forward(HOUR)
    market.converted(click, application="a-1")
    market.judge_all()
    market.converted(click, action=1)
    _, told = explained(market, click)
    assert [(one.kind, one.disposition, one.charge_micros) for one in told.following] == [
        ("APPLY", "counted", Decimal("0.8")),
        ("VIEW", "waiting", 0),
    ]
    assert told.charge is not None
    assert (told.charge.spend_micros, told.following[0].application_id) == (0, "a-1")


def test_a_correction_stands_beside_what_it_corrects(market: Market) -> None:
    listing = market.listing(caps=Caps(clicks=Cap("Monthly", 9)))
    click = market.clicked(listing)
    market.judge_all()
    entry = explained(market, click)[0].entry
    assert entry is not None
    back = msgspec.structs.replace(
        entry,
        id=b"1" * 16,
        sign=-1,
        corrects=entry.id,
        charge_micros=-entry.charge_micros,
        spend_micros=-entry.spend_micros,
        marked_micros=-entry.marked_micros,
    )
    now = msgspec.structs.replace(
        entry,
        id=b"2" * 16,
        corrects=entry.id,
        disposition="bot",
        reason="agent_added",
        charge_micros=0,
        spend_micros=0,
        marked_micros=0,
    )
    # Corrected once more: in the order of ids, the last one would not be what stands.
    again = msgspec.structs.replace(now, id=b"0" * 16, sign=-1, corrects=now.id)
    last = msgspec.structs.replace(
        now, id=b"/" * 16, corrects=now.id, disposition="duplicate", reason="same_visitor"
    )
    path = segments.path_of("2026-11", market.clock.now(), market.ids)
    written = segments.write(market.blobs, path, [back, now, again, last])
    with market.records.write() as tx:
        segments.register(tx, [written], market.clock.now())
    later = market.clicked(listing, at=market.clock.now() + HOUR)
    market.clock.forward(2 * HOUR)
    market.judge_all()
    _, told = explained(market, click)
    assert (told.disposition, told.charge and told.charge.spend_micros) == ("valid", MICROS)
    assert [(one.sign, one.disposition, one.marked_micros) for one in told.corrections] == [
        (-1, "valid", -1),
        (1, "bot", 0),
        (-1, "bot", 0),
        (1, "duplicate", 0),
    ]
    former = [entry.id.hex()] * 2 + [now.id.hex()] * 2
    assert [one.corrected_id for one in told.corrections] == former
    assert told.following == []
    assert explained(market, later)[1].disposition == "valid"


def test_acknowledged_absent_twice_brought_and_foreign(market: Market) -> None:
    listing = market.listing()
    other = market.client("another")
    click, event = market.click(listing)
    _, told = explained(market, sealed(market, click), listing.client_no)
    assert (told.state, told.disposition, told.checks) == ("ABSENT", None, [])
    market.journal.add([event])
    market.journal.add([event], "edge-1")
    for text in (sealed(market, click), click.random.hex()):
        _, told = explained(market, text, listing.client_no)
        assert (told.state, told.link.bid_micros) == ("ACKNOWLEDGED", MICROS)
    market.judge_all()
    for text in (sealed(market, click), click.random.hex()):
        _, told = explained(market, text, listing.client_no)
        assert (told.state, told.disposition, told.following) == ("JUDGED", "valid", [])
        with pytest.raises(Refused) as refused:
            explained(market, text, other)
        assert refused.value.status == 404
    for bad in (
        "",
        "x",
        "0" * 31,
        "0" * 32,
        "0" * 33,
        "Z" * 32,
        sealed(market, click)[:-2],
        "é" * 40,
    ):
        with pytest.raises(Refused) as refused:
            explained(market, bad, listing.client_no)
        assert refused.value.status == 404, bad
