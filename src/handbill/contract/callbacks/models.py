"""What is told of callbacks."""

from typing import Literal

from pydantic import Field

from handbill.contract.envelopes import Page
from handbill.wire.fields import Instant
from handbill.wire.models import Model


class CallbackSecret(Model):
    """The secret that callbacks are signed with."""

    secret: str = Field(description="whsec_ and 32 bytes in base64.")


State = Literal["WAITING", "SENDING", "DELIVERED", "DISABLED", "DEAD"]
_STATE = (
    "WAITING: there is nothing to send yet. SENDING: it is being sent, or will be tried again. "
    "DELIVERED: the address has taken it. DISABLED: the address answered 410. DEAD: all tries have "
    "failed, or the address may not be called."
)


class Callback(Model):
    """A callback, and what came of it."""

    id: str = Field(description="Its id: the header webhook-id.")
    subject: str = Field(
        alias="about", description="Id of the report, or of the run of a rule, that it is about."
    )
    url: str = Field(description="Where it is sent.")
    state: State = Field(description=_STATE)
    attempts: int = Field(description="Number of tries, since it was last asked for.")
    status: int | None = Field(description="Status of the last answer. Null: there was none.")
    failure: str | None = Field(description="Why the last try failed. Null: it has not failed.")
    created_at: Instant = Field(alias="createdOn", description="When it was agreed on.")
    ended_at: Instant | None = Field(
        alias="endedOn", description="When it was delivered or given up. Null: it was not."
    )


class CallbackPage(Page[Callback]):
    """Callbacks of an agency, newest first."""


class SentAgain(Model):
    """What became of a request to send a callback again."""

    result: Literal[True] = Field(description="Always true.")
    message: str = Field(description="Confirmation.")
    state: State = Field(description=_STATE)
