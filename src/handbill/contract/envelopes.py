"""What answers have in common: what was done, pages, ids and dates."""

from typing import Generic, Literal, TypeVar

from pydantic import Field

from handbill.wire.fields import Instant
from handbill.wire.models import Model

_T = TypeVar("_T", bound=Model)


class Done(Model):
    """What was done, in the words of the reference."""

    result: Literal[True] = Field(True, description="Always true: it is done, and durable.")
    message: str = Field(description="What was done, in the words of the reference.")


class Made(Model):
    """What was made, and the id by which it is known from now on."""

    result: str = Field(description="The id of what was made.")
    message: str = Field(description="What was done, in the words of the reference.")


class Page(Model, Generic[_T]):
    """One page of a list."""

    rows: list[_T] = Field(
        alias="data",
        description="The records of this page, limit of them at most; empty past the end.",
    )


class Identified(Model):
    id: str = Field(description="Its id.")


class Dated(Model):
    created_at: Instant = Field(alias="createdOn", description="When it was created.")
    updated_at: Instant = Field(alias="lastUpdated", description="When it was last changed.")
