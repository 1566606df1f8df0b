"""Deliveries, contacts, portals and reconciliation of a publisher on the wire.

Passwords are read and never spelled: what is read keeps them apart from the noun (``Guarded``).
**Source**: domain 1.6.
"""

from dataclasses import dataclass, field
from typing import Any

from handbill.core.nouns import PublisherBody
from handbill.core.vendors import (
    DEFAULT_TEMPLATE,
    RECONCILIATION_FREQUENCIES,
    RECONCILIATION_MODES,
    Contact,
    FtpAccount,
    FtpConfig,
    Portal,
    Reconciliation,
    template_fault,
)
from handbill.kit.faults import Fault
from handbill.kit.money import number_of
from handbill.kit.urls import NotUrl, canonical_url, place_of
from handbill.wire.shapes import (
    Choice,
    Day,
    Faults,
    Field,
    Flag,
    Integer,
    ListOf,
    Object,
    Percent,
    Schema,
    Shape,
    Text,
    Zone,
    spell_day,
)

_LINE = r"[^\x00-\x1f\x7f]*"
_MOST_INDEX_MINUTES = 7 * 24 * 60
_EMAIL = Text(
    3, 254, r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+", "must be a mail address such as a@b.org"
)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What was read, and by the names of ``core.vendors`` the passwords that came with it, each
    with its pointer; None: none came, so that the one that is kept stays.
    """

    noun: Any
    passwords: dict[str, tuple[str, str | None]] = field(repr=False)


@dataclass(frozen=True)
class Secret(Text):
    """A text that is never answered."""

    pattern: str | None = _LINE
    says: str = "must not have control characters"

    def schema(self) -> Schema:
        return super().schema() | {"writeOnly": True, "format": "password"}


@dataclass(frozen=True)
class Host(Shape):
    """A host name or address, in its one spelling."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if not isinstance(value, str):
            faults.append(Fault(at, "must be a string"))
            return ""
        bare = value.strip()
        if bare.count(":") > 1 and not bare.startswith("["):
            bare = f"[{bare}]"
        try:
            if set(bare.rpartition("]")[2]) & set("/?#@:\\"):
                raise NotUrl("must be a host name or address, without a scheme, port or path")
            return place_of(canonical_url(f"http://{bare}/"))[1]
        except NotUrl as bad:
            faults.append(Fault(at, str(bad)))
            return ""

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 253}


@dataclass(frozen=True)
class Template(Text):
    least: int = 1
    most: int = 500

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        before = len(faults)
        found = super().read(value, at, faults)
        wrong = template_fault(found) if len(faults) == before else None
        if wrong is not None:
            faults.append(Fault(at, wrong))
        return found


@dataclass(frozen=True)
class _FtpConfig(Shape):
    """Credentials, path and recipients; the password apart."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        before = len(faults)
        found = _FTP.read(value, at, faults)
        if len(faults) > before:
            return None
        said = found["credentials"]
        account = FtpAccount(
            said["host"], said["username"], said.get("port") or 21, bool(said.get("tls"))
        )
        config = FtpConfig(
            account,
            found.get("pathTemplate") or DEFAULT_TEMPLATE,
            tuple(found.get("alertRecipients") or ()),
        )
        pointer = f"{at}/credentials/password"
        return Guarded(config, {account.key: (pointer, said.get("password"))})

    def schema(self) -> Schema:
        return _FTP.schema()


@dataclass(frozen=True)
class _Portals(Shape):
    """One portal, or a list of them; their passwords apart."""

    many: bool

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        before = len(faults)
        found = self._shape().read(value, at, faults)
        if len(faults) > before:
            return None
        passwords: dict[str, tuple[str, str | None]] = {}
        portals = []
        for n, said in enumerate(found if self.many else [found]):
            portal = Portal(said["url"], said.get("username") or "")
            here = f"{at}/{n}" if self.many else at
            if portal in portals:
                faults.append(Fault(here, "is there twice"))
            portals.append(portal)
            if portal.user:
                passwords[portal.key] = (f"{here}/password", said.get("password"))
        return Guarded(tuple(portals) if self.many else portals[0], passwords)

    def _shape(self) -> Shape:
        return ListOf(_PORTAL, most=20) if self.many else _PORTAL

    def schema(self) -> Schema:
        return self._shape().schema()


@dataclass(frozen=True)
class _Tuple(ListOf):
    def read(self, value: Any, at: str, faults: Faults) -> Any:
        return tuple(super().read(value, at, faults))


def _portal_check(found: dict[str, Any], at: str, faults: Faults) -> None:
    if found.get("password") and not found.get("username"):
        faults.append(Fault(f"{at}/username", "is required beside a password"))


def _contact_check(found: dict[str, Any], at: str, faults: Faults) -> None:
    if found.get("vpAccessEnabled") and not found.get("email"):
        faults.append(Fault(f"{at}/email", "is required where vpAccessEnabled is true"))
    if found.get("notificationEnabled") and found.get("notificationAlertThreshold") is None:
        says = "is required where notificationEnabled is true"
        faults.append(Fault(f"{at}/notificationAlertThreshold", says))


def _contact(found: dict[str, Any]) -> Contact:
    return Contact(
        found.get("email") or "", bool(found.get("vpAccessEnabled")),
        bool(found.get("notificationEnabled")), found.get("notificationAlertThreshold"),
    )  # fmt: skip


def _reconciliation(found: dict[str, Any]) -> Reconciliation:
    return Reconciliation(
        found["mode"], found.get("startDate") or "", found.get("frequency") or "Daily",
        found.get("timezone") or "UTC",
    )  # fmt: skip


_FTP = Object(
    {
        "credentials": Field(
            Object(
                {
                    "host": Field(Host(), "Name or address of the FTP server.", required=True),
                    "port": Field(Integer(1, 65_535), "Its port; 21 if absent."),
                    "username": Field(
                        Text(1, 200, _LINE, "must not have control characters"),
                        "Who logs in.",
                        required=True,
                    ),
                    "password": Field(
                        Secret(1, 200),
                        "Kept and never answered. It may be left out where one is kept for the "
                        "same server, port, user name and tls.",
                    ),
                    "tls": Field(
                        Flag(), "Log in and send over TLS (explicit FTPS); false if absent."
                    ),
                }
            ),
            "Where to log in: host, username and password together.",
            required=True,
        ),
        "pathTemplate": Field(
            Template(),
            "Path of the file there, with {exportedName}, {publisher}, {clientId} and {date} "
            "(yyyy-MM-dd); {exportedName}.xml if absent. .gz is added where isCompressedFeed.",
        ),
        "alertRecipients": Field(
            _Tuple(_EMAIL, most=20), "Whom to tell of failures. Kept; no mail is sent yet."
        ),
    }
)
_PORTAL = Object(
    {
        "url": Field(Text(1, 2_000, _LINE), "Address of the vendor's portal.", required=True),
        "username": Field(Text(most=200, pattern=_LINE), "Who logs in there."),
        "password": Field(
            Secret(1, 200),
            "Kept and never answered; needed beside a user name. It may be left out where one is "
            "kept for the same address and user name.",
        ),
    },
    check=_portal_check,
)
_CONTACT = Object(
    {
        "email": Field(_EMAIL, "Mail address; needed where vpAccessEnabled."),
        "vpAccessEnabled": Field(Flag(), "May see the vendor's portal; false if absent."),
        "notificationEnabled": Field(Flag(), "Wants notices; false if absent. None is sent yet."),
        "notificationAlertThreshold": Field(
            Percent(), "Percent at which a notice is due; needed where notificationEnabled."
        ),
    },
    check=_contact_check,
    make=_contact,
)
_RECONCILIATION = Object(
    {
        "mode": Field(
            Choice(RECONCILIATION_MODES), "How the vendor's numbers come in.", required=True
        ),
        "startDate": Field(Day(), "First day of its numbers, mm/dd/yyyy."),
        "frequency": Field(Choice(RECONCILIATION_FREQUENCIES), "How often; Daily if absent."),
        "timezone": Field(Zone(), "Zone of the vendor's days; UTC if absent."),
    },
    make=_reconciliation,
)
FIELDS = {
    "feedIndexLatency": Field(
        Integer(0, _MOST_INDEX_MINUTES),
        "Minutes until the publisher shows a feed that it has fetched, 0 to 10080; 0 if absent.",
    ),
    "deliverFeedByFTP": Field(
        Flag(), "Send its files to its FTP server too; false if absent. It needs ftpConfig."
    ),
    "ftpConfig": Field(_FtpConfig(), "Where its files are sent to; replaced as a whole."),
    "publisherContactDetailsRevamp": Field(
        _Tuple(_CONTACT, most=50), "People at the vendor; the list replaces the former one."
    ),
    "vendorPortalDetails": Field(
        _Portals(many=True), "The vendor's portals; the list replaces the former one."
    ),
    "publisherPortalDetails": Field(
        _Portals(many=False), "The publisher's own portal; replaced as a whole."
    ),
    "publisherReconciliationDetails": Field(
        _RECONCILIATION, "How the vendor's own numbers are brought in; replaced as a whole."
    ),
}
NAMES = {
    "feedIndexLatency": "feed_index_latency_minutes", "deliverFeedByFTP": "delivered_by_ftp",
    "ftpConfig": "ftp", "publisherContactDetailsRevamp": "contacts",
    "vendorPortalDetails": "vendor_portals", "publisherPortalDetails": "portal",
    "publisherReconciliationDetails": "reconciliation",
}  # fmt: skip


def spell(body: PublisherBody) -> dict[str, Any]:
    """All of it but the passwords."""
    return {
        "feedIndexLatency": body.feed_index_latency_minutes,
        "deliverFeedByFTP": body.delivered_by_ftp,
        "ftpConfig": None if body.ftp is None else _spell_ftp(body.ftp),
        "publisherContactDetailsRevamp": [_spell_contact(one) for one in body.contacts],
        "vendorPortalDetails": [_spell_portal(one) for one in body.vendor_portals],
        "publisherPortalDetails": None if body.portal is None else _spell_portal(body.portal),
        "publisherReconciliationDetails": (
            None if body.reconciliation is None else _spell_reconciliation(body.reconciliation)
        ),
    }


def _spell_ftp(config: FtpConfig) -> dict[str, Any]:
    account = config.account
    return {
        "credentials": {
            "host": account.host, "port": account.port, "username": account.user,
            "tls": account.tls,
        },
        "pathTemplate": config.template,
        "alertRecipients": list(config.recipients),
    }  # fmt: skip


def _spell_contact(contact: Contact) -> dict[str, Any]:
    threshold = contact.threshold_ppm
    return {
        "email": contact.email or None,
        "vpAccessEnabled": contact.portal_access,
        "notificationEnabled": contact.notified,
        "notificationAlertThreshold": None if threshold is None else number_of(threshold * 100),
    }


def _spell_portal(portal: Portal) -> dict[str, Any]:
    return {"url": portal.url, "username": portal.user or None}


def _spell_reconciliation(found: Reconciliation) -> dict[str, Any]:
    return {
        "mode": found.mode,
        "startDate": spell_day(found.start_on) or None,
        "frequency": found.frequency,
        "timezone": found.zone,
    }
