"""Rates, as they are read and told. **Source**: docs/decisions/0048."""

from datetime import date
from typing import Annotated, Final

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from handbill.contract.envelopes import Page
from handbill.contract.publishers.models import Currency
from handbill.core.rates import Dated, picos_of, rate_number
from handbill.rates.service import id_of
from handbill.wire.fields import Instant, SaidDay, number_in
from handbill.wire.models import Model, OneOrMany

MOST_RATES: Final = 1_000


Rate = Annotated[
    int,
    PlainValidator(lambda value: picos_of(number_in(value))),
    PlainSerializer(rate_number),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 10**6}),
]
"""More than 0, at most a million, at most 12 decimals; as picos."""


class NewRate(Model):
    """What one unit of a currency is in another one on a day."""

    makes = staticmethod(lambda on, **rows: Dated(date.fromisoformat(on), **rows))
    on: SaidDay = Field(alias="date", description="The day on which it begins to apply.")
    source: Currency = Field(alias="from", description="ISO 4217 code of the one unit.")
    target: Currency = Field(alias="to", description="ISO 4217 code of what it is worth.")
    picos: Rate = Field(
        alias="rate",
        description="What one unit of `from` is worth in `to`: more than 0, at most 12 decimals.",
    )


RATES: Final = OneOrMany(NewRate, MOST_RATES)


class RateTold(NewRate):
    """A rate of the agency's own, or of the house."""

    id: str = Field(description="By which it can be deleted.")
    is_own: bool = Field(
        alias="own", description="Whether the agency set it. Otherwise the operator did."
    )
    set_at: Instant = Field(alias="lastUpdated", description="When it was set.")


class RatePage(Page[RateTold]):
    """Rates, the latest day first."""


def told(one: Dated, set_at: int) -> RateTold:
    """A rate, with when it was set."""
    return RateTold.of(one, id=id_of(one), on=one.on.isoformat(), set_at=set_at)
