"""Mail addresses and addresses of mail servers, as we accept them."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

MOST_MAIL: Final = 254
"""**Source**: RFC 5321, 4.5.3.1.3."""
WANTED: Final = "must be a mail address such as ada@example.com, in ASCII"
_WORD: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_MAIL: Final = re.compile(rf"{_WORD}(?:\.{_WORD})*@{_LABEL}(?:\.{_LABEL})+")
_PORTS: Final = {"smtp": 587, "smtps": 465}
_WANTED_URL: Final = (
    "must be smtp://user:password@host:port or smtps://…, with % codes for marks in it"
)
Tls = Literal["AUTO", "REQUIRED", "OFF"]


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """``tls``: from the first byte (SMTPS), after STARTTLS, or none."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: Literal["SMTPS", "STARTTLS", "NONE"]


def is_mail(text: str) -> bool:
    """Whether it is a plain ASCII address: no name, no comment, no line break, a host with a dot.
    **Source**: RFC 5321, Dot-string and Domain.
    """
    return len(text) <= MOST_MAIL and _MAIL.fullmatch(text) is not None


def server_of(url: str, tls: Tls = "AUTO") -> SmtpServer:
    """The server that an address names. AUTO: TLS is required unless the server is on this machine.

    **Refuses** another form, without repeating it, as it has a password (ValueError).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(_WANTED_URL) from None
    host = parts.hostname or ""
    is_plain = url.isascii() and url.isprintable() and not (parts.query or parts.fragment)
    if parts.scheme not in _PORTS or not host or parts.path not in {"", "/"} or not is_plain:
        raise ValueError(_WANTED_URL)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii() or not (user + password).isprintable():
        raise ValueError("must have a user and a password in ASCII")
    if bool(user) != bool(password):
        raise ValueError("must name both user and password, or neither")
    return SmtpServer(host, port or _PORTS[parts.scheme], user, password, _tls(parts, host, tls))


def _tls(parts: SplitResult, host: str, tls: Tls) -> Literal["SMTPS", "STARTTLS", "NONE"]:
    if parts.scheme == "smtps":
        return "SMTPS"
    if tls == "OFF" or (tls == "AUTO" and _is_here(host)):
        return "NONE"
    return "STARTTLS"


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
