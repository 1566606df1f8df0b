"""Rates, as they are read and told. **Source**: docs/decisions/0048."""

from datetime import date
from typing import Annotated, Final

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from handbill.contract.envelopes import Page
from handbill.contract.publishers.models import Currency
from handbill.core.rates import DatedRate, picos_of, rate_number
from handbill.rates.service import id_of
from handbill.wire.bodies import OneOrMany
from handbill.wire.fields import Instant, SaidDay, number_in
from handbill.wire.models import Model

MOST_RATES: Final = 1_000


Rate = Annotated[
    int,
    PlainValidator(lambda value: picos_of(number_in(value))),
    PlainSerializer(rate_number),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 10**6}),
]
"""More than 0, at most a million, at most 12 decimals; as picos."""


class NewRate(Model):
    """The value of one unit of a currency in another one, from a day on."""

    makes = staticmethod(lambda on, **rows: DatedRate(date.fromisoformat(on), **rows))
    on: SaidDay = Field(alias="date", description="The day on which it begins to apply.")
    source: Currency = Field(
        alias="from", description="ISO 4217 code of the currency that is converted."
    )
    target: Currency = Field(
        alias="to", description="ISO 4217 code of the currency that it is converted to."
    )
    picos: Rate = Field(
        alias="rate",
        description="What one unit of `from` is worth in `to`: more than 0, at most 12 decimals.",
    )


RATES: Final = OneOrMany(NewRate, MOST_RATES)


class RateTold(NewRate):
    """A rate of the agency or of the operator."""

    id: str = Field(description="Id of the rate, for DELETE /rates/{rate_id}.")
    is_own: bool = Field(
        alias="own", description="Whether the agency set it. Otherwise the operator did."
    )
    set_at: Instant = Field(alias="lastUpdated", description="When it was set.")


class RatePage(Page[RateTold]):
    """Rates, the latest day first."""


def shown_rate(one: DatedRate, set_at: int) -> RateTold:
    """A rate, with when it was set."""
    return RateTold.of(one, id=id_of(one), on=one.on.isoformat(), set_at=set_at)
