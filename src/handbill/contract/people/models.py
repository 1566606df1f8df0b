"""People and their sessions, as they are read and told."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from handbill.contract.envelopes import Dated, Done, Made, Page
from handbill.core.persons import MOST_PASSWORD, PersonRole
from handbill.wire.fields import Distinct, Id, InCapitals, Instant, Name
from handbill.wire.models import Model
from handbill.wire.words import AnyCase, Meaning

Mail = Annotated[str, StringConstraints(min_length=1, max_length=254)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=MOST_PASSWORD)]
Code = Annotated[str, StringConstraints(max_length=40)]
_ROLE: Final = (
    "OWNER: all of the agency, its people too. TRADER: reads and writes. ANALYST: reads. EMPLOYER: "
    "reads the named clients, without bids and prices. PUBLISHER: its publisher family. OPERATOR: "
    "as an owner, in any agency."
)


class SignIn(Model):
    mail: Mail = Field(description="The person's mail address, in any case.")
    password: Password = Field(description="The password.")
    code: Code = Field(
        "",
        description="The present one-time code, or a recovery code; required of a person who uses "
        "a second factor, and not looked at for others.",
    )
    agency_id: Name = Field(
        "",
        alias="agencyId",
        description="The agency to work in. An operator who names none works in the oldest one. "
        "Others need to name it only where several agencies know their address: it is required "
        "where more than three do, and where the same password is right in several of them, the "
        "oldest is meant.",
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
    renewal_due: bool = Field(
        alias="renewalDue", description="Whether it was begun or renewed more than an hour ago."
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
    second_factor: bool = Field(
        alias="secondFactor", description="Whether it signs in with one-time codes."
    )
    recoveries: int = Field(
        alias="recoveryCodesLeft", description="How many recovery codes it has not used."
    )
    may_write: bool = Field(alias="mayWrite", description="Whether it may change anything.")
    session: Session = Field(description="When the session of this request ends.")


class MeChange(Model):
    name: Name | None = Field(None, description="The name; null clears it.")
    password: Password | None = Field(
        None, description="A new password, at least 12 characters. All other sessions end."
    )
    former: Password | None = Field(
        None, alias="formerPassword", description="The present password; required with a new one."
    )


AgencyRole = Annotated[Literal["OWNER", "TRADER", "ANALYST", "EMPLOYER"], AnyCase()]
_CLIENTS: Final = "Ids of the only clients that an EMPLOYER may see; others have none."


class NewPerson(Model):
    mail: Mail = Field(description="The mail address, which nobody else of the agency has.")
    role: AgencyRole = Field(description=_ROLE)
    name: Name = Field("", description="The name.")
    clients: Distinct[Id] = Field([], max_length=1_000, description=_CLIENTS)


class PersonChange(Model):
    role: AgencyRole | None = Field(None, description=_ROLE)
    name: Name | None = Field(None, description="The name; null clears it.")
    clients: Distinct[Id] | None = Field(None, max_length=1_000, description=_CLIENTS)


class InvitationMail(Model):
    """The latest mail with a link by which the person sets a password."""

    state: Annotated[
        str, Meaning(WAITING="SENDING", SENT="SENT", FAILED="DEAD", DROPPED="DROPPED")
    ] = Field(
        description="WAITING: it is not sent yet. FAILED: it is not tried any more. DROPPED: a "
        "newer link took its place."
    )
    failure: str | None = Field(description="Why the last try failed. Null: it did not.")


class PersonShown(Dated):
    """A person of the agency."""

    id: str = Field(description="The person's id: 24 hex digits.")
    mail: str = Field(description="The mail address.")
    name: str = Field(description="The name; empty if none was given.")
    role: PersonRole = Field(description=_ROLE)
    clients: list[str] | None = Field(
        description="Ids of the only clients that it may see. Null: all of the agency."
    )
    may_sign_in: bool = Field(
        alias="maySignIn",
        description="Whether it can sign in as things stand: by a password that it has set, or by "
        "the agency's provider, by which it has signed in before.",
    )
    second_factor: bool = Field(
        alias="secondFactor", description="Whether it signs in with one-time codes."
    )
    invitation_mail: InvitationMail | None = Field(
        alias="invitationMail",
        description="The latest mail with a link to it, of the last two weeks. Null: none.",
    )


class PeoplePage(Page[PersonShown]):
    """People, the oldest first."""


class InvitationMade(Made):
    """The person, and the link by which it sets a password."""

    result: str = Field(description="The person's id.")
    link: str = Field(
        description="The address of the page where the password is set. It is good once, and shown "
        "only this once."
    )
    expires_at: Instant = Field(alias="expiresOn", description="When the link ends: in 48 hours.")


class InvitationUsed(Model):
    link: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="The secret of the link: hbl_ and what follows."
    )
    password: Password = Field(
        description="The password, at least 12 characters, without the mail address."
    )


class InvitationAccepted(InvitationUsed):
    code: Code = Field(
        "",
        description="A one-time code or recovery code; required of a person who uses a second "
        "factor, and not looked at for others.",
    )


class SetUp(InvitationUsed):
    mail: Mail = Field(description="The mail address of the first owner.")
    name: Name = Field("", description="The owner's name.")
    agency_id: Id = Field(
        alias="agencyId",
        description="The agency's id: letters, digits, - and _. It is created if there is none.",
    )
    agency_name: Name = Field("", alias="agencyName", description="The agency's name.")
    currency: Annotated[str, InCapitals, StringConstraints(min_length=3, max_length=3)] = Field(
        "USD", description="The agency's currency, an ISO 4217 code. It cannot be changed."
    )


class SetUpDone(SessionMade):
    """The first owner, signed in."""

    api_key: str | None = Field(
        alias="apiKey", description="A new agency's API key, shown only this once. Null: none made."
    )
    api_client_id: str | None = Field(
        alias="apiClientId", description="A new agency's API client. Null: none made."
    )


class PasswordGiven(Model):
    password: Password = Field(description="The present password.")


class CodeGiven(Model):
    code: Code = Field(description="The present one-time code that the app shows.")


class SecondFactorEnd(PasswordGiven):
    code: Code = Field(description="The present one-time code, or a recovery code.")


class SecondFactorOffer(Made):
    """A second factor that is not in force yet."""

    result: str = Field(
        description="The secret for the app, in base 32. It is shown only this once."
    )
    uri: str = Field(description="The same as an otpauth address: the content of a QR code.")


class RecoveryCodes(Done):
    """Confirmation, with the recovery codes."""

    codes: list[str] = Field(
        alias="recoveryCodes",
        description="Each stands in place of a one-time code once. They are shown only this once, "
        "and stored as digests.",
    )
