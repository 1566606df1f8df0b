"""Feeds of any length in the public shapes of four boards, seeded and realistic.

The same seed gives the same bytes, whatever the count: job n does not depend on the others.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal, TypeVar
from xml.sax.saxutils import escape

import msgspec

from handbill.demo.words import (
    CLOSINGS,
    COMPANIES,
    OFFERS,
    OPENINGS,
    TOWNS,
    TRADES,
    Town,
    TradeWords,
)

Dialect = Literal["indeed", "talent", "jooble", "appcast"]
_Thing = TypeVar("_Thing")

_CHUNK = 256 * 1024
_MASK = 2**64 - 1
_FIRST_DAY = datetime(2026, 9, 1, 6, 30, tzinfo=UTC)
_TYPES = ("full-time", "full-time", "full-time", "part-time", "contract", "temporary")
_SENTENCES = (
    "In this role you will {duty}.",
    "You will also {duty}.",
    "On most days you {duty}.",
    "Together with the team you {duty}.",
    "When it is your turn, you {duty}.",
)


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    ref: str
    title: str
    company: str
    town: Town
    zip: str
    category: str
    type: str
    posted: datetime
    salary: str
    cpc: str
    url: str
    text: str
    remote: bool


class _Draw:
    """A stream of numbers that depends on seed and job number only (splitmix64)."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, number: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03) & _MASK

    def below(self, most: int) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ (mixed >> 31)) % most

    def one(self, of: tuple[_Thing, ...]) -> _Thing:
        return of[self.below(len(of))]


def feed(
    dialect: Dialect,
    count: int,
    seed: int = 1,
    changed: Collection[int] = (),
    without: Collection[int] = (),
) -> Iterator[bytes]:
    """A feed of ``count`` jobs of about 1.8 KB each, in chunks of bytes.

    ``changed``: numbers of jobs with another text; ``without``: numbers left out.
    """
    head, tail, write = _DIALECTS[dialect]
    parts, size = [head], 0
    for number in range(count):
        if number in without:
            continue
        text = write(_job(seed, number, again=number in changed))
        parts.append(text)
        size += len(text)
        if size >= _CHUNK:
            yield "".join(parts).encode()
            parts, size = [], 0
    parts.append(tail)
    yield "".join(parts).encode()


def _job(seed: int, number: int, *, again: bool) -> _Job:
    draw = _Draw(seed, number)
    trade = draw.one(TRADES)
    company = draw.one(COMPANIES[trade.category])
    town = draw.one(TOWNS)
    title = draw.one(trade.titles)
    ref = f"{trade.category[0]}{town.country}-{seed:02d}{number:07d}"
    host = "".join(letter for letter in company.lower() if letter.isascii() and letter.isalnum())
    salary = _salary(draw, trade)
    words = {
        "company": company,
        "title": title,
        "city": town.city,
        "state": town.state,
        "ref": ref,
        "year": 1921 + draw.below(90),
        "match": 2 + draw.below(5),
        "days": 10 + draw.below(16),
        "bonus": f"{500 * (1 + draw.below(10)):,}",
    }
    return _Job(
        ref=ref,
        title=title,
        company=company,
        town=town,
        zip=draw.one(town.zips),
        category=trade.category,
        type=draw.one(_TYPES),
        posted=_FIRST_DAY + timedelta(minutes=draw.below(80 * 24 * 60)),
        salary=salary,
        cpc=f"{(15 + draw.below(240)) / 100:.2f}",
        url=f"https://careers.{host}.example/jobs/{ref}?src=feed&utm_source=board&utm_medium=cpc",
        text=_text(draw, trade, words, again=again),
        remote=draw.below(9) == 0,
    )


def _salary(draw: _Draw, trade: TradeWords) -> str:
    least, most = trade.pay
    low = least + draw.below(most - least)
    high = low + max(1, low // (4 + draw.below(8)))
    if most < 1_000:
        return f"${low}.{25 * draw.below(4):02d} - ${high}.00 per hour"
    return f"${low // 500 * 500:,} - ${high // 500 * 500:,} per year"


def _text(draw: _Draw, trade: TradeWords, words: dict[str, object], *, again: bool) -> str:
    """The job's description as HTML, varied in order, length and content."""
    duties = _order(draw, trade.duties)
    story = [draw.one(_SENTENCES).format(duty=duty) for duty in duties[: 2 + draw.below(3)]]
    wishes = "".join(f"<li>{wish[0].upper()}{wish[1:]}</li>" for wish in _order(draw, trade.wishes))
    offers = "".join(
        f"<li>{offer.format_map(words)}</li>" for offer in _order(draw, OFFERS)[: 3 + draw.below(3)]
    )
    closing = " ".join(text.format_map(words) for text in _order(draw, CLOSINGS)[:2])
    note = "<p><b>New:</b> we have raised the pay for this position.</p>" if again else ""
    return (
        f"{note}<p>{draw.one(OPENINGS).format_map(words)}</p>\n<p>{' '.join(story)}</p>\n"
        f"<h3>What you bring</h3>\n<ul>{wishes}</ul>\n<h3>What we offer</h3>\n<ul>{offers}</ul>\n"
        f"<p>{closing}</p>"
    )


def _order(draw: _Draw, of: tuple[str, ...]) -> list[str]:
    """All of them, each time in another order."""
    rest = list(of)
    return [rest.pop(draw.below(len(rest))) for _ in of]


# ── the dialects (public shapes: domain 5.5) ────────────────────────────────────────────────────
def _indeed(job: _Job) -> str:
    return f"""  <job>
    <title><![CDATA[{job.title}]]></title>
    <date><![CDATA[{format_datetime(job.posted, usegmt=True)}]]></date>
    <referencenumber><![CDATA[{job.ref}]]></referencenumber>
    <requisitionid><![CDATA[R{job.ref[-7:]}]]></requisitionid>
    <url><![CDATA[{job.url}]]></url>
    <company><![CDATA[{job.company}]]></company>
    <sourcename><![CDATA[{job.company}]]></sourcename>
    <city><![CDATA[{job.town.city}]]></city>
    <state><![CDATA[{job.town.state}]]></state>
    <country><![CDATA[{job.town.country}]]></country>
    <postalcode><![CDATA[{job.zip}]]></postalcode>
    <description><![CDATA[{job.text}]]></description>
    <salary><![CDATA[{job.salary}]]></salary>
    <jobtype><![CDATA[{job.type}]]></jobtype>
    <category><![CDATA[{job.category}]]></category>
    <remotetype><![CDATA[{"Fully remote" if job.remote else ""}]]></remotetype>
  </job>
"""


def _talent(job: _Job) -> str:
    return f"""  <job>
    <referencenumber>{job.ref}</referencenumber>
    <title><![CDATA[{job.title}]]></title>
    <company><![CDATA[{job.company}]]></company>
    <city><![CDATA[{job.town.city}]]></city>
    <state><![CDATA[{job.town.state}]]></state>
    <country><![CDATA[{job.town.country}]]></country>
    <postalcode>{job.zip}</postalcode>
    <isremote>{"yes" if job.remote else "no"}</isremote>
    <date>{job.posted:%Y-%m-%d %H:%M:%S}.000 UTC</date>
    <url><![CDATA[{job.url}]]></url>
    <description><![CDATA[{job.text}]]></description>
    <salary>{escape(job.salary)}</salary>
    <jobtype>{job.type}</jobtype>
    <category><![CDATA[{job.category}]]></category>
    <cpc>USD {job.cpc}</cpc>
  </job>
"""


def _jooble(job: _Job) -> str:
    return f"""  <job id="{job.ref}">
    <link><![CDATA[{job.url}]]></link>
    <name><![CDATA[{job.title}]]></name>
    <region><![CDATA[{job.town.city}, {job.town.state}]]></region>
    <salary><![CDATA[{job.salary}]]></salary>
    <description><![CDATA[{job.text}]]></description>
    <company><![CDATA[{job.company}]]></company>
    <pubdate>{job.posted:%d.%m.%Y}</pubdate>
    <updated>{job.posted:%d.%m.%Y}</updated>
    <expire>{job.posted + timedelta(days=90):%d.%m.%Y}</expire>
    <jobtype>{job.type}</jobtype>
    <cpc>{job.cpc}</cpc>
  </job>
"""


def _appcast(job: _Job) -> str:
    return f"""  <job>
    <location>{escape(job.town.city)}, {job.town.state}, {job.town.country}</location>
    <title>{escape(job.title)}</title>
    <city>{escape(job.town.city)}</city>
    <state>{job.town.state}</state>
    <zip>{job.zip}</zip>
    <country>{job.town.country}</country>
    <job_type>{job.type}</job_type>
    <posted_at>{job.posted:%Y-%m-%d}</posted_at>
    <job_reference>{job.ref}</job_reference>
    <company>{escape(job.company)}</company>
    <mobile_friendly_apply>{"true" if job.remote else "false"}</mobile_friendly_apply>
    <category>{escape(job.category)}</category>
    <html_jobs>yes</html_jobs>
    <url>{escape(job.url)}</url>
    <body>{escape(job.text)}</body>
    <cpc>{job.cpc}</cpc>
    <cpa></cpa>
  </job>
"""


_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_DIALECTS: dict[str, tuple[str, str, Callable[[_Job], str]]] = {
    "indeed": (
        _XML + "<source>\n  <publisher>Example Jobs</publisher>\n"
        "  <publisherurl>https://jobs.example</publisherurl>\n"
        "  <lastBuildDate>Mon, 23 Nov 2026 05:00:00 GMT</lastBuildDate>\n",
        "</source>\n",
        _indeed,
    ),
    "talent": (_XML + "<source>\n", "</source>\n", _talent),
    "jooble": (_XML + "<jobs>\n", "</jobs>\n", _jooble),
    "appcast": (
        _XML + "<root>\n  <generation_time>2026-11-23T05:00:00Z</generation_time>\n",
        "</root>\n",
        _appcast,
    ),
}
