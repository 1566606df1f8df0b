"""Why a job group's filter takes a job, or does not, as it is told."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from handbill.contract.filters import Comparison, spelled_terms
from handbill.core.filters import DATE_FIELD, NUMBER_FIELD
from handbill.core.tracing import Compared, Trace
from handbill.kit.money import number_of
from handbill.wire.models import Model
from handbill.wire.values import spell_day

MOST_COMPARED = 20
Value = Annotated[Any, WithJsonSchema({"type": ["string", "number", "null"]})]


class ComparisonTrace(Comparison):
    """A comparison, and the job's value for it."""

    value: Value = Field(description="The job's value. Null: none.")
    holds: bool = Field(description="Whether the comparison matches.")


class FilterTrace(Model):
    """Result of a filter for the job."""

    holds: bool = Field(description="Whether the job group's filter matches the job.")
    deciding: list[ComparisonTrace] = Field(
        alias="decidedBy", description="The comparisons that decide it, the first 20 of them."
    )


def trace_told(found: Trace | None) -> FilterTrace | None:
    if found is None:
        return None
    return FilterTrace.of(found, deciding=list(map(_compared, found.deciding[:MOST_COMPARED])))


def _compared(one: Compared) -> ComparisonTrace:
    value: Any = one.value
    if one.leaf.field == NUMBER_FIELD and isinstance(value, int):
        value = number_of(value)
    elif one.leaf.field == DATE_FIELD and isinstance(value, str):
        value = spell_day(value)
    return ComparisonTrace.of(one.leaf, terms=spelled_terms(one.leaf), value=value, holds=one.holds)
