"""What is stored about the vendor behind a publisher: how its files reach it, its contacts, and
where its own numbers are. **Source**: domain 1.6. These values never contain a password.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import msgspec

from handbill.kit.urls import NotUrl, canonical_url, place_of

_T = TypeVar("_T")

ReconciliationMode = Literal["Manual", "Email", "API", "Portal"]
ReconciliationFrequency = Literal["Daily", "Weekly", "Monthly"]

VARIABLES = ("exportedName", "publisher", "clientId", "date")
"""The names that a path template may contain, in braces."""
DEFAULT_TEMPLATE = "{exportedName}.xml"
_VARIABLE = re.compile(r"{(\w+)}")
_STEP = re.compile(rf"(?:[\w .-]|{{(?:{'|'.join(VARIABLES)})}}){{1,200}}")
_ODD = re.compile(r"[^\w .-]")
_DOTS = re.compile(r"^\.+|\.{2,}|\.+$")
_MOST_VALUE = 100


class FtpAccount(msgspec.Struct, frozen=True, omit_defaults=True):
    """The account at a server; ``tls``: explicit FTPS (RFC 4217)."""

    host: str
    user: str
    port: int = 21
    tls: bool = False

    @property
    def key(self) -> str:
        """The key of its stored password: another place or user has another password."""
        return f"{'ftps' if self.tls else 'ftp'}://{self.user}@{self.host}:{self.port}"


class FtpConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    account: FtpAccount
    template: str = DEFAULT_TEMPLATE
    recipients: list[str] = []


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """``threshold_ppm``: the share at which a notice is due."""

    email: str = ""
    portal_access: bool = False
    notified: bool = False
    threshold_ppm: int | None = None


class Portal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A vendor's own pages, where its numbers can be read."""

    url: str
    user: str = ""

    @property
    def key(self) -> str:
        """The key of its stored password."""
        return f"portal {self.user!r} {self.url}"


class Reconciliation(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the vendor's own numbers are to be imported."""

    mode: ReconciliationMode
    start_on: str = ""
    frequency: ReconciliationFrequency = "Daily"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Guarded(Generic[_T]):
    """What is stored, and separately the password that came with it; empty: none came, so that the
    stored one stays. ``key``: the key that it is stored under; None: it needs none. ``at``: the
    attribute that it came in.
    """

    kept: _T
    key: str | None
    at: str
    password: str = field(repr=False)


def host_name(text: str) -> str:
    """A host name or address, in canonical form. **Refuses** (NotUrl) anything more."""
    bare = text.strip()
    if bare.count(":") > 1 and not bare.startswith("["):
        bare = f"[{bare}]"
    if set(bare.rpartition("]")[2]) & set("/?#@:\\"):
        raise NotUrl("must be a host name or address, without a scheme, port or path")
    return place_of(canonical_url(f"http://{bare}/"))[1]


def template_fault(template: str) -> str | None:
    """What is wrong with a path template; None: nothing."""
    steps = template.removeprefix("/").split("/")
    unknown = [name for name in _VARIABLE.findall(template) if name not in VARIABLES]
    if unknown:
        return f"knows no {{{unknown[0]}}}, only " + ", ".join(f"{{{v}}}" for v in VARIABLES)
    if not all(_STEP.fullmatch(step) for step in steps):
        return "must be a path of letters, digits, blanks, - _ . and variables in braces"
    if any(not step.strip(" .") or step != step.strip() for step in steps):
        return "must not have steps that are empty, dots only, or begin or end with a blank"
    return None


def names_clients(template: str) -> bool:
    """Whether each client's file has its own path."""
    return bool({"exportedName", "clientId"} & set(_VARIABLE.findall(template)))


def path_of(template: str, values: Mapping[str, str]) -> str:
    """The path of a valid template with these values, each of them made harmless first."""
    return _VARIABLE.sub(lambda found: harmless(values[found[1]]), template)


def harmless(value: str) -> str:
    """A value that stays within its step of a path: no slash, no control character, no dots that
    lead elsewhere, and never empty.
    """
    kept = _ODD.sub("_", value.strip())[:_MOST_VALUE]
    return _DOTS.sub(lambda found: "_" * len(found[0]), kept).strip() or "_"
