"""The columns of each kind of report: headings, sums, and how the sums are finished.

A new kind of report is one layout here. **Source**: domain 9.1, 9.5 and 12, contract 4.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from handbill.core.judging import BOT, COUNTED, DUPLICATE, FOREIGN, LATENT, OVER_CAP, VALID
from handbill.core.metrics import NAMES, RAW, Number, Raw, finished
from handbill.core.rules.figures import ADDED
from handbill.kit.instants import DAY
from handbill.kit.money import number_of
from handbill.ledger.folding import sum_text
from handbill.stats import resolved

Heading = tuple[int, str]
"""Which of a level's names is shown in a column, and the heading of the column."""


class Layout(NamedTuple):
    """``headings``: of each level that a row may be about. ``sums``: (name, SQL) of each raw sum,
    from which an entry that cancels another one subtracts; ``names`` and ``finish``: what the sums
    become. ``source``: SQL of the entries, which may look back further than the report, by
    ``reach``.
    """

    headings: Mapping[str, tuple[Heading, ...]]
    sums: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    finish: Callable[[Sequence[int]], list[Number]]
    source: str = "entries"
    reach: int = 0
    stands: bool = False
    """Whether rows also tell the standing of what they are about."""

    def columns(self, levels: Sequence[str]) -> list[str]:
        headings = [name for level in levels for _, name in self.headings[level]]
        stands = resolved.COLUMNS if self.tells_standing(levels) else ()
        return [*headings, *self.names, *stands]

    def tells_standing(self, levels: Sequence[str]) -> bool:
        return self.stands and resolved.level_of(levels) is not None


def _sums(raws: Sequence[Raw]) -> tuple[tuple[str, str], ...]:
    return tuple((raw.name, sum_text(raw)) for raw in raws)


STATS: Final = Layout(
    headings={
        "CLIENT": ((0, "clientId"), (1, "clientName")),
        "CAMPAIGN": ((0, "campaignId"), (1, "campaignName")),
        "JOBGROUP": ((0, "jobGroupId"), (1, "jobGroupName")),
        "JOB": ((0, "jobId"), (1, "refNumber"), (2, "jobTitle")),
        "PUBLISHER": ((0, "publisherId"), (1, "publisherName")),
        "DATE": ((0, "date"),),
    },
    sums=_sums(RAW),
    names=NAMES,
    finish=finished,
    stands=True,
)

# An apply has no address of its own (it comes from the customer's server): it has its click's,
# which may be as long ago as any conversion window (contract 3) allows.
_REACH: Final = 92 * DAY
_WITH_ADDRESS: Final = """(
    SELECT entry.* REPLACE (
        coalesce(nullif(entry.ip, ''), click.ip, '') AS ip,
        coalesce(nullif(entry.country, ''), click.country, '') AS country,
        coalesce(nullif(entry.city, ''), click.city, '') AS city
    )
    FROM entries AS entry
    LEFT JOIN (
        SELECT click_id AS id, any_value(ip) AS ip, any_value(country) AS country,
            any_value(city) AS city
        FROM entries
        WHERE kind = 'CLICK' GROUP BY ALL
    ) AS click ON click.id = entry.click_id AND entry.kind <> 'CLICK'
)"""
_COUNTS: Final = (COUNTED, OVER_CAP)
_IP_SUMS: Final = (
    *_sums(
        (
            Raw("clicks", "CLICK", ()),
            Raw("validClicks", "CLICK", (VALID,)),
            Raw("botClicks", "CLICK", (BOT,)),
            Raw("duplicateClicks", "CLICK", (DUPLICATE,)),
            Raw("foreignClicks", "CLICK", (FOREIGN,)),
            Raw("latentClicks", "CLICK", (LATENT,)),
            Raw("applies", "APPLY", _COUNTS),
        )
    ),
    ("distinctUserAgents", "count(DISTINCT nullif(agent, ''))"),
)
IP_LEVELS: Final = ("DATE", "IP", "COUNTRY", "CITY", "PUBLISHER", "JOBGROUP", "JOB")
IP: Final = Layout(
    headings={
        "DATE": ((0, "date"),),
        "IP": ((0, "ip"),),
        # As HANDBILL_GEO_FILE said when the click was judged; else empty.
        "COUNTRY": ((0, "country"),),
        "CITY": ((0, "city"),),
        "PUBLISHER": ((0, "publisher"),),
        "JOBGROUP": ((0, "jobGroupId"),),
        "JOB": ((1, "refNumber"),),
    },
    sums=_IP_SUMS,
    names=tuple(name for name, _ in _IP_SUMS),
    finish=list,
    source=_WITH_ADDRESS,
    reach=_REACH,
)

_PUBLISHER_SUMS: Final = _sums(
    (
        Raw("grossClicks", "CLICK", ()),
        Raw("validClicks", "CLICK", (VALID,)),
        Raw("foreignClicks", "CLICK", (FOREIGN,)),
        Raw("latentClicks", "CLICK", (LATENT,)),
        Raw("botClicks", "CLICK", (BOT,)),
        Raw("duplicateClicks", "CLICK", (DUPLICATE,)),
        Raw("applies", "APPLY", _COUNTS),
        Raw("grossSpend", None, (), "charge_micros"),
        Raw("overCapClicks", "CLICK", (OVER_CAP,)),
    )
)


def _invoiced(sums: Sequence[int]) -> list[Number]:
    *counts, charge_micros, over_cap = sums
    return [*counts, number_of(charge_micros), over_cap]


PUBLISHER_LEVELS: Final = ("DATE", "CLIENT", "PUBLISHER", "BID_TYPE", "CURRENCY")
PUBLISHER: Final = Layout(
    headings={
        "DATE": ((0, "date"),),
        "CLIENT": ((1, "client"),),
        "PUBLISHER": ((0, "placement"),),
        "BID_TYPE": ((0, "bidType"),),
        "CURRENCY": ((0, "currency"),),
    },
    sums=_PUBLISHER_SUMS,
    names=tuple(name for name, _ in _PUBLISHER_SUMS),
    finish=_invoiced,
)

SLICES: Final = Layout(
    headings={level: ((0, level),) for level in (*STATS.headings, "QUARTER")},
    sums=_sums(ADDED),
    names=tuple(raw.name for raw in ADDED),
    finish=list,
)
"""What rules look at, as raw sums by days or by quarters of an hour since 1970, which add up to any
range of days until any instant.
"""

LAYOUTS: Final = {"stats": STATS, "ip": IP, "publisher": PUBLISHER, "slices": SLICES}
