"""The demo visitors: who clicks what, how often, and who applies, all from one seed."""

from collections.abc import Sequence
from typing import NamedTuple

from handbill.host.ids import Chance, seeded

CLICKS = 1_500
_BOTS_IN_100 = 9
_REPEATS_IN_100 = 8
_PREFETCHES_IN_100 = 3
_STARTS_IN_100 = 32
_APPLIES_IN_100 = 45  # of those who start an application
_ORGANIC = 20

AGENTS = (
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Safari/537.36"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
    ),
    (
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/142.0.0.0 Mobile Safari/537.36"
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.6 Safari/605.1.15"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0"
    ),
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "python-requests/2.32.3",
)
# Addresses reserved for tests of networks (RFC 2544).
_NETWORK = "198.18"


class OfferedJob(NamedTuple):
    """A job as a publisher's feed offers it."""

    outlet: str
    advertiser: str
    url: str


class LinkVisit(NamedTuple):
    """One request for a tracked link. ``kind``: human, bot, repeat, or prefetch."""

    offer: OfferedJob
    ip: str
    agent: str
    kind: str


class Deed(NamedTuple):
    """What a visitor does after a click: ``action`` 2 starts to apply, 3 applies."""

    visit: int
    action: int
    by_pixel: bool
    application_id: str


class TrafficPlan(NamedTuple):
    """Everything that will happen, in order."""

    visits: list[LinkVisit]
    deeds: list[Deed]
    organic: int


def plan_of(offers: Sequence[OfferedJob], seed: int) -> TrafficPlan:
    """Draw the visits and what follows from them. Some jobs are far more popular than others."""
    chance = seeded(seed)
    ranked = list(offers)
    chance.shuffle(ranked)
    weights = [1 / (place + 8) for place in range(len(ranked))]
    wanted = chance.choices(ranked, weights, k=CLICKS)
    visits: list[LinkVisit] = []
    deeds: list[Deed] = []
    for offer in wanted:
        dice = chance.randrange(100)
        if dice < _BOTS_IN_100:
            visits.append(LinkVisit(offer, _address(chance), chance.choice(BOTS), "bot"))
            continue
        visit = LinkVisit(offer, _address(chance), chance.choice(AGENTS), "human")
        visits.append(visit)
        _deeds_after(chance, len(visits) - 1, deeds)
        if dice < _BOTS_IN_100 + _REPEATS_IN_100:
            visits.append(visit._replace(kind="repeat"))
        elif dice < _BOTS_IN_100 + _REPEATS_IN_100 + _PREFETCHES_IN_100:
            visits.append(visit._replace(kind="prefetch"))
    return TrafficPlan(visits, deeds, _ORGANIC)


def _address(chance: Chance) -> str:
    return f"{_NETWORK}.{chance.randrange(256)}.{chance.randrange(1, 255)}"


def _deeds_after(chance: Chance, visit: int, deeds: list[Deed]) -> None:
    if chance.randrange(100) >= _STARTS_IN_100:
        return
    by_pixel = chance.random() < 0.5
    deeds.append(Deed(visit, 2, by_pixel, ""))
    if chance.randrange(100) < _APPLIES_IN_100:
        application = f"app-{chance.randrange(16**10):010x}"
        deeds.append(Deed(visit, 3, by_pixel, application))
        if chance.randrange(100) < 10:  # an applicant tracking system that sends twice
            deeds.append(Deed(visit, 3, by_pixel, application))
