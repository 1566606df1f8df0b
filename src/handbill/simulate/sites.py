"""The employers' own sites, as far as the system sees them: feeds of jobs, sometimes broken."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

from handbill.host.egress import Egress, EgressFailed, Fetched, FetchLimits, RequestExtras
from handbill.kit.digests import digest_of

Ailment = Literal["", "away", "torn", "empty"]
AILMENTS: tuple[Ailment, ...] = ("away", "torn", "empty")
_ACCEPTED = 200
MAPPINGS = {
    "schemaMappingsJobCollection": "source",
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "title",
    "schemaMappingsCompany": "company",
    "schemaMappingsCity": "city",
    "schemaMappingsState": "state",
    "schemaMappingsCountry": "country",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsCategory": "category",
    "schemaMappingsRefNumber": "referencenumber",
}
"""How a client's feed says what: the fields of these sites' jobs."""


class Ad(NamedTuple):
    """A job as its employer's careers page shows it."""

    ref: str
    title: str
    category: str
    text: str

    @property
    def url(self) -> str:
        return f"https://careers.example/{self.ref}"


@dataclass(slots=True)
class Careers:
    """One employer's feed. ``ails``: what is wrong with it at present."""

    ads: dict[str, Ad] = field(default_factory=dict)
    ails: Ailment = ""

    def feed(self) -> bytes:
        ads = () if self.ails == "empty" else self.ads.values()
        whole = "".join(["<source>\n", *map(_ad_text, ads), "</source>\n"]).encode()
        return whole[: len(whole) // 2] if self.ails == "torn" else whole


def _ad_text(ad: Ad) -> str:
    return (
        f"<job><referencenumber>{ad.ref}</referencenumber><title>{escape(ad.title)}</title>"
        f"<company>Mills</company><city>Boston</city><state>MA</state><country>US</country>"
        f"<description>{escape(ad.text)}</description><url>{ad.url}</url>"
        f"<category>{escape(ad.category)}</category></job>\n"
    )


class Sites(Egress):
    """Egress to these sites only: nothing is ever dialled."""

    def __init__(self, sites: Mapping[str, Careers]) -> None:
        super().__init__()
        self._sites = sites

    @contextmanager
    def open(
        self,
        url: str,
        limits: FetchLimits,  # noqa: ARG002
        asked: RequestExtras | None = None,
    ) -> Iterator[Fetched]:
        careers = self._sites[url]
        if careers.ails == "away":
            raise EgressFailed("answered with status 503")
        body = careers.feed()
        etag = f'"{digest_of(body).hex()}"'
        is_known = asked is not None and asked.etag == etag
        chunks: Sequence[bytes] = () if is_known else (body,)
        yield Fetched(
            final_url=url,
            etag=etag,
            last_modified="",
            unchanged=is_known,
            charset="utf-8",
            chunks=iter(chunks),
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str], limits: FetchLimits) -> int:  # noqa: ARG002
        return _ACCEPTED
