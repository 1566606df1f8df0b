"""What is kept of the vendor behind a publisher: deliveries, contacts, portals, reconciliation.

Passwords are read and never told. **Source**: domain 1.6.
"""

from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from handbill.core import vendors as core
from handbill.core.vendors import (
    DEFAULT_TEMPLATE,
    Guarded,
    ReconciliationFrequency,
    ReconciliationMode,
    host_name,
    template_fault,
)
from handbill.kit.faults import Fault
from handbill.wire.fields import Day, Matching, Percent, Whole, Zone
from handbill.wire.models import Model
from handbill.wire.schemas import NOT_BLANK
from handbill.wire.values import spell_day
from handbill.wire.words import AnyCase
from handbill.wire.wrong import WrongBeside

_LINE: Final = r"[^\x00-\x1f\x7f]*"
_NO_LINE: Final = "must not have control characters"
_MOST_INDEX_MINUTES: Final = 7 * 24 * 60
_KEPT: Final = "Stored, and never returned."


def _template(text: str) -> str:
    wrong = template_fault(text)
    if wrong is not None:
        raise ValueError(wrong)
    return text


def _or_null(text: str) -> str | None:
    return text or None


_OR_NULL = WithJsonSchema({"type": ["string", "null"]}, "serialization")
Host = Annotated[
    str, AfterValidator(host_name), WithJsonSchema({"type": "string", "maxLength": 253})
]
FirstDay = Annotated[Day, PlainSerializer(lambda day: _or_null(spell_day(day))), _OR_NULL]
Template = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=NOT_BLANK),
    AfterValidator(_template),
]
Secret = Annotated[str, Matching(_LINE, _NO_LINE, also={"writeOnly": True, "format": "password"})]
Email = Annotated[
    str,
    Matching(
        r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+",
        "must be a mail address such as a@b.org",
        least=3,
        most=254,
    ),
]


class FtpCredentials(Model):
    """How to log in to an FTP server."""

    host: Host = Field(description="Name or address of the FTP server.")
    port: Annotated[int, Whole(1, 65_535)] = Field(21, description="The port. Default: 21.")
    user: Annotated[str, Matching(_LINE, _NO_LINE)] = Field(
        alias="username", description="User name to log in with."
    )
    password: Secret = Field(
        "",
        exclude=True,
        description=f"{_KEPT} It may be omitted if one is stored for the same server, port, "
        "user name and tls.",
    )
    tls: bool = Field(
        False, description="Whether to log in and send over TLS (explicit FTPS). Default: false."
    )

    def noun(self) -> core.FtpAccount:
        return core.FtpAccount(self.host, self.user, self.port, self.tls)


class FtpConfig(Model):
    """FTP target of a publisher's files."""

    account: FtpCredentials = Field(alias="credentials", description="How to log in.")
    template: Template = Field(
        DEFAULT_TEMPLATE,
        alias="pathTemplate",
        description="Path of the file on the server, with {exportedName}, {publisher}, {clientId} "
        f"and {{date}} (yyyy-MM-dd). Default: {DEFAULT_TEMPLATE}. With isCompressedFeed .gz is "
        "added.",
    )
    recipients: list[Email] = Field(
        [],
        alias="alertRecipients",
        max_length=20,
        description="Recipients of failure notices. Stored; nothing acts on it.",
    )

    def noun(self) -> Guarded[core.FtpConfig]:
        config = core.FtpConfig(self.account.noun(), self.template, self.recipients)
        return Guarded(config, config.account.key, "account.password", self.account.password)


class Contact(Model):
    """A person at the vendor."""

    makes = core.Contact
    email: Annotated[Email, PlainSerializer(_or_null), _OR_NULL] = Field(
        "", description="Mail address. Required where vpAccessEnabled is true."
    )
    portal_access: bool = Field(
        False,
        alias="vpAccessEnabled",
        description="Whether the person may see the vendor's portal. Default: false.",
    )
    notified: bool = Field(
        False,
        alias="notificationEnabled",
        description="Whether the person wants notices. Default: false. No notice is sent yet.",
    )
    threshold_ppm: Annotated[int, Percent()] | None = Field(
        None,
        alias="notificationAlertThreshold",
        description="Percent at which a notice is due. Required where notificationEnabled is true.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.portal_access and not self.email:
            raise WrongBeside(Fault("/email", "is required where vpAccessEnabled is true"))
        if self.notified and self.threshold_ppm is None:
            says = "is required where notificationEnabled is true"
            raise WrongBeside(Fault("/notificationAlertThreshold", says))
        return self


class Portal(Model):
    """A web portal where the vendor shows its numbers."""

    url: Annotated[str, Matching(_LINE, _NO_LINE, most=2_000)] = Field(
        description="Address of the portal."
    )
    user: Annotated[
        str,
        Matching(_LINE, _NO_LINE, least=0),
        PlainSerializer(_or_null),
        _OR_NULL,
    ] = Field("", alias="username", description="User name to log in with.")
    password: Secret = Field(
        "",
        exclude=True,
        description=f"{_KEPT} Required beside a user name; it may be omitted if one is stored "
        "for the same address and user name.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.password and not self.user:
            raise WrongBeside(Fault("/username", "is required beside a password"))
        return self

    def noun(self) -> Guarded[core.Portal]:
        portal = core.Portal(self.url, self.user)
        return Guarded(portal, portal.key if portal.user else None, "password", self.password)


def _distinct(portals: list[Portal]) -> list[Portal]:
    places = [(one.url, one.user) for one in portals]
    again = [n for n, place in enumerate(places) if place in places[:n]]
    if again:
        raise WrongBeside(*(Fault(f"/{n}", "is given twice") for n in again))
    return portals


class Reconciliation(Model):
    """How the vendor's own numbers are imported."""

    makes = core.Reconciliation
    mode: Annotated[ReconciliationMode, AnyCase()] = Field(
        description="How the vendor's numbers arrive."
    )
    start_on: FirstDay = Field(
        "", alias="startDate", description="First day of the vendor's numbers, mm/dd/yyyy."
    )
    frequency: Annotated[ReconciliationFrequency, AnyCase()] = Field(
        "Daily", description="How often they arrive. Default: Daily."
    )
    zone: Zone = Field(
        "UTC", alias="timezone", description="Time zone of the vendor's days. Default: UTC."
    )


class VendorRows(Model):
    feed_index_latency_minutes: Annotated[int, Whole(0, _MOST_INDEX_MINUTES)] = Field(
        0,
        alias="feedIndexLatency",
        description="Minutes until the publisher shows a feed that it has fetched, 0 to 10080. "
        "Default: 0.",
    )
    delivered_by_ftp: bool = Field(
        False,
        alias="deliverFeedByFTP",
        description="Whether the publisher's files are also sent to its FTP server. Default: "
        "false. Requires ftpConfig.",
    )
    ftp: FtpConfig | None = Field(
        None,
        alias="ftpConfig",
        description="FTP target of the publisher's files. An update replaces the whole object.",
    )
    contacts: list[Contact] = Field(
        [],
        alias="publisherContactDetailsRevamp",
        max_length=50,
        description="People at the vendor; an update replaces the whole list.",
    )
    vendor_portals: Annotated[list[Portal], AfterValidator(_distinct)] = Field(
        [],
        alias="vendorPortalDetails",
        max_length=20,
        description="The vendor's portals; an update replaces the whole list.",
    )
    portal: Portal | None = Field(
        None,
        alias="publisherPortalDetails",
        description="The publisher's own portal; an update replaces the whole.",
    )
    reconciliation: Reconciliation | None = Field(
        None,
        alias="publisherReconciliationDetails",
        description="How the vendor's own numbers are imported. An update replaces the whole "
        "object.",
    )
