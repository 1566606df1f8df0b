"""An explanation of a click, put into the rows of its answer, and into words."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from handbill.campaigns.service import campaigns_by_number
from handbill.contract.explain.clicks import (
    Amount,
    ClickCap,
    ClickCharge,
    ClickCheck,
    ClickExplanation,
    ClickLink,
    ClickSaw,
    ClickVisitor,
    CorrectionOfClick,
    OfClick,
)
from handbill.core.charging import Limit, Scope
from handbill.core.click_checks import CapThen, CheckStep, Step
from handbill.core.entries import Entry
from handbill.core.judging import KIND_OF_ACTION
from handbill.core.nouns import Client
from handbill.core.received import ReceivedConversion
from handbill.core.sightings import UNLOOKED
from handbill.core.trail import Kind
from handbill.groups.service import groups_by_number
from handbill.jobs.service import refs_of
from handbill.kit.instants import MINUTE, SECOND
from handbill.kit.money import number_of
from handbill.ledger.explaining import MOST_TOLD, ExplainedClick, State
from handbill.publishers.service import publishers_by_number
from handbill.store.records import Tx

WORDS: Final[Mapping[Step, str]] = {
    "CLIENT": "the client is known",
    "VISIT": "the link was followed to visit the page",
    "AGENT": "the program that followed the link is on no list of bots",
    "ADDRESS_LIST": "the address is on no list of bots' addresses",
    "ADDRESS_RATE": "the address had not clicked too often on that day",
    "DUPLICATE": "the visitor had not clicked on the job within the window",
    "FOREIGN": "the address is in the job's area",
    "LATENT": "the listing was in the publisher's file, or had left it lately",
}
"""What holds where a step finds nothing."""
DECIDED: Final[Mapping[str, str]] = {
    "unknown_client": "the client is not known",
    "head": "the link was only asked about (HEAD)",
    "prefetch": "the link was loaded ahead, before anybody followed it",
    "test": "the link was made for a test, whose clicks are never charged",
    "no_agent": "the program named no user agent",
    "agent_list": "the program is on the list of crawlers",
    "agent_added": "the program is on the list of further programs",
    "address_list": "the address is on the click definition's list of bots",
    "address_rate": "the address had clicked more often than the click definition allows in a day",
    "same_visitor": "the visitor had clicked on the job within the window",
    "country": "the address is in another country than the job",
    "state": "the address is in another state than the job",
    "city": "the address is in another city than the job",
    "left_feed": "the listing had left the publisher's file too long before",
    "price_too_old": "its price had ended, and the publisher's copy showed it no more",
    "old_link": "the link is older than what is remembered of links",
}
"""What a step found that decided, by reason."""
_OFF: Final = "no rule asks for it"
_NO_LIST: Final = "the click definition has no list of bots' addresses"
_NOT_REACHED: Final = "not looked at: an earlier step had decided"
_STATES: Final[dict[State, str]] = {
    "JUDGED": "it is judged and booked",
    "ACKNOWLEDGED": "it is acknowledged, and not judged yet",
    "ABSENT": "its id is genuine, and nothing else of it is here: its event has not arrived, or "
    "its entry was older than entries are kept",
}


_NOTHING: Final = ClickSaw.of(**dict.fromkeys(ClickSaw.names))
_OWNERS: Final[Mapping[Scope, Kind]] = {
    "client": "CLIENT",
    "campaign": "CAMPAIGN",
    "campaign_placement": "CAMPAIGN",
    "group": "JOB_GROUP",
    "placement": "JOB_GROUP",
    "group_job": "JOB_GROUP",
    "job": "JOB",
    "job_placement": "JOB",
}
_KINDS: Final[Mapping[Kind, str]] = {
    "CLIENT": "client",
    "CAMPAIGN": "campaign",
    "JOB_GROUP": "job group",
    "JOB": "job",
}


class _Names(NamedTuple):
    """The API's ids of what numbers name."""

    client: Client
    campaigns: dict[int, str]
    groups: dict[int, str]
    publishers: dict[int, str]

    def of(self, limit: Limit) -> tuple[str | None, str | None]:
        """Whose a cap is, and at which publisher."""
        first, _, second = limit.entity.partition("/")
        if limit.scope == "client":
            return self.client.id, None
        if limit.scope in {"campaign", "campaign_placement"}:
            owner = self.campaigns.get(int(first))
        elif limit.scope in {"group", "placement"}:
            owner = self.groups.get(int(first))
        else:
            owner = second if limit.scope == "group_job" else first
        is_placed = limit.scope in {"campaign_placement", "placement", "job_placement"}
        return owner, self.publishers.get(int(second)) if is_placed else None


def click_told(tx: Tx, client: Client, found: ExplainedClick) -> ClickExplanation:
    """An explanation of a click as it is told."""
    named, entry = found.named, found.entry
    of: Any = entry or named.listing
    assert of is not None, "what is explained has a link"
    assert named.at is not None, "what is explained has its instant"
    job_id = of.job_id if isinstance(of.job_id, str) else of.job_id.hex()
    names = _Names(
        client,
        {no: one.id for no, one in campaigns_by_number(tx, [of.campaign_no]).items()},
        {no: one.id for no, one in groups_by_number(tx, [of.group_no]).items()},
        {no: one.id for no, one in publishers_by_number(tx, [of.publisher_no]).items()},
    )
    corrections = [one for one in found.of_it if one.corrects]
    return ClickExplanation.of(
        click_id=named.id.hex(),
        state=found.state,
        words=_STATES[found.state],
        at=named.at,
        booked_at=entry and entry.at,
        client_id=client.id,
        campaign_id=names.campaigns.get(of.campaign_no),
        group_id=names.groups.get(of.group_no),
        publisher_id=names.publishers.get(of.publisher_no),
        job_id=job_id,
        ref=refs_of(tx, client.no, [job_id]).get(job_id),
        link=_link(found, of),
        disposition=entry and entry.disposition,
        reason=(entry and entry.reason) or None,
        visitor=entry and _visitor(entry),
        version=(entry and entry.definition) or None,
        rules=found.in_force and found.in_force.rules,
        checks=[_check(found, one) for one in found.checks],
        caps=[_cap(names, found, one) for one in found.caps],
        charge=entry and ClickCharge.of(entry),
        following=[
            *(_of_it(one) for one in found.of_it if one not in corrections),
            *map(_waiting, found.waiting),
        ],
        corrections=list(map(_correction, _in_turn(corrections))),
        unknown=list(_not_known(found)),
    )


def _link(found: ExplainedClick, of: Any) -> ClickLink:
    listing, held, seen = found.named.listing, found.held, found.sighting
    return ClickLink.of(
        bid_type=of.bid_type,
        bid_micros=listing and listing.bid_micros,
        price_micros=listing and listing.price_micros,
        counted_bid_micros=seen and seen.counted_bid_micros,
        counted_price_micros=seen and seen.counted_price_micros,
        listed_at=of.listed_at or None,
        version=held and (held.version or None),
        fetched_at=held and (held.fetched_at or None),
        ended_at=found.standing and (found.standing.ended_at or None),
    )


def _visitor(entry: Entry) -> ClickVisitor:
    return ClickVisitor.of(
        ip=entry.ip or None,
        agent=entry.agent or None,
        country=entry.country or None,
        city=entry.city or None,
    )


def _check(found: ExplainedClick, one: CheckStep) -> ClickCheck:
    assert found.entry is not None, "it is judged"
    reason = found.entry.reason.partition(" ")[0]
    words = {
        "DECIDED": DECIDED.get(reason, reason),
        "PASSED": WORDS[one.step],
        "OFF": _NO_LIST if _lacks_list(found, one.step) else _OFF,
        "NOT_REACHED": _NOT_REACHED,
    }[one.found]
    saw = _saw(found, one.step) if one.found in {"DECIDED", "PASSED"} else _NOTHING
    return ClickCheck.of(step=one.step, found=one.found, words=words, saw=saw)


def _lacks_list(found: ExplainedClick, step: Step) -> bool:
    """Whether the rules ask for a list of addresses that there is none of."""
    rules = found.in_force and found.in_force.rules
    return bool(step == "ADDRESS_LIST" and rules and rules.bot and rules.by_address)


def _saw(found: ExplainedClick, step: Step) -> ClickSaw:
    entry = found.entry
    assert entry is not None, "it is judged"
    saw: dict[str, Any] = dict.fromkeys(ClickSaw.names)
    seen = found.sighting
    if step == "AGENT":
        saw |= {"agent": entry.agent or None, "agent_text": found.agent}
    elif step in {"ADDRESS_LIST", "ADDRESS_RATE"}:
        saw["ip"] = entry.ip or None
    elif step == "DUPLICATE":
        saw |= {"opened_at": entry.opened_at or None, "first_id": found.first and found.first.hex()}
    elif step == "FOREIGN":
        saw |= {"country": entry.country or None, "city": entry.city or None}
    if seen is None:
        return ClickSaw.of(**saw)
    if step == "VISIT":
        saw["ahead"] = seen.ahead or None
    elif step == "ADDRESS_RATE" and seen.clicks_before != UNLOOKED:
        saw["clicks_before"] = seen.clicks_before
    elif step == "FOREIGN":
        saw["differs_by"] = seen.foreign or None
    elif step == "LATENT":
        saw |= {"left_at": seen.left_at or None, "replaced_at": seen.replaced_at or None}
        saw["grace_seconds"] = _grace(found) if seen.left_at else None
    return ClickSaw.of(**saw)


def _grace(found: ExplainedClick) -> int | None:
    """How long a click counts after its listing has left the file."""
    held = found.in_force
    if held is None:
        return None
    own = held.rules.latent_seconds
    grace = held.grace if own is None else own * SECOND
    return (grace + held.rules.latency_minutes * MINUTE) // SECOND


def _cap(names: _Names, found: ExplainedClick, one: CapThen) -> ClickCap:
    limit = one.limit
    owner, publisher = names.of(limit)

    def told(amount: int | None) -> Amount | None:
        return number_of(amount) if amount is not None and limit.measure == "budget" else amount

    return ClickCap.of(
        limit,
        level=limit.scope,
        entity_id=owner,
        publisher_id=publisher,
        ceiling_on=limit.on.isoformat() if limit.on else "",
        value=told(limit.most),
        used=told(one.used),
        reserved=told(one.reserved),
        decided=one.decided,
        as_now=_OWNERS[limit.scope] in found.unknown,
    )


def _of_it(one: Entry) -> OfClick:
    return OfClick.of(one, **_told_of(one))


def _correction(one: Entry) -> CorrectionOfClick:
    return CorrectionOfClick.of(one, corrected_id=one.corrects.hex(), **_told_of(one))


def _told_of(one: Entry) -> dict[str, Any]:
    return {
        "id": one.id.hex(),
        "reason": one.reason or None,
        "application_id": one.application_id or None,
        "charge_micros": number_of(one.charge_micros),
        "marked_micros": number_of(one.marked_micros),
    }


def _in_turn(corrections: list[Entry]) -> Iterator[Entry]:
    """As one followed from another: what takes an entry back, then what stands for it."""
    made = {one.id for one in corrections}
    first = dict.fromkeys(one.corrects for one in corrections if one.corrects not in made)
    turn = list(first)
    for former in turn:
        those = [one for one in corrections if one.corrects == former]
        yield from sorted(those, key=lambda one: one.sign)
        turn += [one.id for one in those]


def _waiting(one: ReceivedConversion) -> OfClick:
    return OfClick.of(
        one,
        id=None,
        kind=KIND_OF_ACTION[one.action],
        disposition="waiting",
        reason=None,
        application_id=one.application_id or None,
        charge_micros=0,
        marked_micros=0,
    )


def _not_known(found: ExplainedClick) -> Iterator[str]:
    """What cannot be told any more of a click, each with why."""
    entry = found.entry
    if found.named.listing is None:
        yield "bid and price of its link, and when they ended: its entry does not say them"
    if found.held is None:
        yield "which version of the file the publisher had: no fetch of before is kept"
    if entry is None:
        return
    if found.agent is None:
        yield "the user agent: only a digest of it is told"
    yield "the address: it is kept as the installation is set to, masked or as a digest"
    if found.in_force is None:
        yield "the rules for clicks that held: its entry does not say them"
    if found.sighting is None:
        yield "what the checks saw: its entry does not say it"
    for kind in found.unknown:
        yield f"how the caps of the {_KINDS[kind]} were set then: they are told as they are now"
    if any(one.used is None for one in found.caps):
        yield (
            "what was used of its caps: it was dated into a later month"
            if entry.at != entry.click_at
            else "what was used of some caps: entries of before have left the ledger"
        )
    if len(found.of_it) >= MOST_TOLD - 1:
        yield f"what followed beyond the first {MOST_TOLD}"
