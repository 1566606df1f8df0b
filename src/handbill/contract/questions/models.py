"""Saved questions about a client, and links to their answers."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from handbill.contract.envelopes import Page
from handbill.contract.overview.models import Timeseries
from handbill.stats.overviews import By
from handbill.stats.sharing import MOST_DAYS, USUAL_DAYS, Saved
from handbill.wire.fields import Instant, Whole
from handbill.wire.models import Model
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.words import AnyCase

_MOST_ASKED: Final = 400
_MOST_NAME: Final = 200


class NewQuestion(Model):
    """A question about a client's last days."""

    name: Annotated[
        str, StringConstraints(min_length=1, max_length=_MOST_NAME, pattern=NOT_BLANK)
    ] = Field(description="Its name.")
    days: Annotated[int, Whole(1, _MOST_ASKED)] = Field(
        30, description=f"Number of days, today included, 1 to {_MOST_ASKED}. Default: 30."
    )
    told_by: Annotated[By, AnyCase()] = Field(
        "none",
        alias="by",
        description="What the figures are grouped by. Default: none, all together.",
    )


class LinkWish(Model):
    """How long a link is to last."""

    days: Annotated[int, Whole(1, MOST_DAYS)] = Field(
        USUAL_DAYS,
        description=f"Days until the link ends, 1 to {MOST_DAYS}. Default: {USUAL_DAYS}.",
    )


class LinkMade(Model):
    """A link to the answer."""

    url: str = Field(description="The page of the answer. It is shown only this once.")
    secret: str = Field(description="The link's secret: the last part of the address.")
    until_at: Instant = Field(alias="expiresOn", description="When it ends.")


class SavedQuestion(Model):
    """A saved question."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    days: int = Field(description="Number of days, today included.")
    told_by: By = Field(alias="by", description="What the figures are grouped by.")
    created_at: Instant = Field(alias="createdOn", description="When it was saved.")
    link_until: Instant | None = Field(
        alias="linkExpiresOn", description="When its link ends, or has ended. Null: it has none."
    )


class QuestionPage(Page[SavedQuestion]):
    """Saved questions of a client, oldest first."""


class SharedReport(Model):
    """The answer to a question, as a link shows it."""

    name: str = Field(description="The question's name.")
    client: str = Field(description="The client's name.")
    days: int = Field(description="Number of days.")
    until_at: Instant = Field(alias="expiresOn", description="When the link ends.")
    answer: Timeseries = Field(
        description="The figures, of those that an EMPLOYER may see: spent is marked-up, and there "
        "are no prices."
    )


def saved_told(one: Saved) -> SavedQuestion:
    return SavedQuestion.of(one)
