"""People and their sessions, as they are read and told."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from handbill.contract.envelopes import Made
from handbill.core.persons import MOST_PASSWORD, PersonRole
from handbill.wire.fields import Id, Instant, Name
from handbill.wire.models import Model

Mail = Annotated[str, StringConstraints(min_length=1, max_length=254)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=MOST_PASSWORD)]
Code = Annotated[str, StringConstraints(max_length=12)]
_ROLE: Final = (
    "OWNER: all of the agency, its people too. TRADER: reads and writes. ANALYST: reads. EMPLOYER: "
    "reads the named clients, without bids and prices. PUBLISHER: its publisher family. OPERATOR: "
    "as an owner, in any agency."
)


class SignIn(Model):
    mail: Mail = Field(description="The person's mail address, in any case.")
    password: Password = Field(description="The password.")
    code: Code = Field(
        "", description="The present one-time code; required if the person uses codes."
    )
    agency_id: Name = Field(
        "",
        alias="agencyId",
        description="The agency to work in. Required only for an operator, who else works in the "
        "oldest one, and for an address that several agencies know.",
    )


class SessionMade(Made):
    """A new session."""

    result: str = Field(
        description="The session's secret, to be sent as Authorization: Bearer. It is shown only "
        "this once and not stored."
    )


class SessionChange(Model):
    agency_id: Id | None = Field(
        None,
        alias="agencyId",
        description="The agency to work in from now on; only an operator may choose another one.",
    )


class Session(Model):
    """The session that this request was made with."""

    created_at: Instant = Field(alias="createdOn", description="When it began.")
    expires_at: Instant = Field(
        alias="expiresOn", description="When it ends unless it is renewed: after 12 hours."
    )
    ends_at: Instant = Field(
        alias="endsOn", description="When it ends at the latest: 30 days after it began."
    )


class Me(Model):
    """The person who asks, and what it may do."""

    id: str = Field(description="The person's id: 24 hex digits.")
    mail: str = Field(description="The mail address.")
    name: str = Field(description="The name; empty if none was given.")
    role: PersonRole = Field(description=_ROLE)
    agency_id: str | None = Field(
        alias="agencyId", description="The agency it works in. Null: in a publisher family."
    )
    family_id: str | None = Field(
        alias="publisherFamilyId", description="The publisher family. Null: in an agency."
    )
    clients: list[str] | None = Field(
        description="Ids of the only clients that it may see. Null: all of the agency."
    )
    may_write: bool = Field(alias="mayWrite", description="Whether it may change anything.")
    session: Session = Field(description="When the session of this request ends.")
