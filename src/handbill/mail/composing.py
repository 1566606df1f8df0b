"""A letter as a message: text and simple HTML, in ASCII, the same at every try.

**Source**: RFC 5322; RFC 2369 and RFC 8058 (List-Unsubscribe); RFC 3834 (Auto-Submitted).
"""

import re
from collections.abc import Sequence
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec

from handbill.kit.instants import Instant, moment_of

if TYPE_CHECKING:
    from jinja2 import Environment

_POLICY: Final = SMTP.clone(cte_type="7bit")  # any server takes it
_MOST_SUBJECT = 150
_LINE = "\r\n"
_MOST_TEXT = 1_000
_UNWANTED: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
)


class MailTable(msgspec.Struct, frozen=True):
    """Figures: ``heads`` above each column; the first cell of a row names it."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Items(msgspec.Struct, frozen=True):
    """A list: a title and lines."""

    title: str
    lines: Sequence[str]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is mailed, as plain texts; they may come from anybody.

    ``link``: words and address. ``end``: the page that ends more of these mails; empty: nothing is
    to be ended.
    """

    subject: str
    lines: Sequence[str]
    parts: Sequence[MailTable | Items] = ()
    link: tuple[str, str]
    why: str
    end: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """``mail_id``: names the message for ever, so that receivers recognise a second one."""

    mail_id: str
    sender: str
    recipient: str
    at: Instant


@cache
def _templates() -> "Environment":
    """Read with the first letter: a worker of an installation without mail needs none of it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("handbill.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def message_of(letter: Letter, envelope: Envelope) -> bytes:
    """The whole message, with the line ends of SMTP."""
    values = {
        "subject": plain(letter.subject, _MOST_SUBJECT),
        "lines": [plain(line) for line in letter.lines],
        "parts": [_part(part) for part in letter.parts],
        "link": letter.link,
        "why": plain(letter.why),
        "end": letter.end,
    }
    host = envelope.sender.rpartition("@")[2]
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address("Handbill", addr_spec=envelope.sender)
    message["To"] = Address(addr_spec=envelope.recipient)
    message["Date"] = format_datetime(moment_of(envelope.at))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_templates().get_template("letter.txt").render(values))
    message.add_alternative(_templates().get_template("letter.html").render(values), subtype="html")
    message.set_boundary(f"=_{envelope.mail_id}")  # else the library draws one
    # Written as they are, because the library folds or encodes long addresses, and begins a long
    # subject on a line of its own.
    subject = plain(letter.subject, _MOST_SUBJECT)
    charset = "us-ascii" if subject.isascii() else "utf-8"
    heads = [
        f"Message-ID: <{envelope.mail_id}@{host}>",
        f"Subject: {Header(subject, charset, header_name='Subject').encode(linesep=_LINE)}",
    ]
    if letter.end:
        heads.append(f"List-Unsubscribe: <{letter.end}>")
        if letter.end.startswith("https:"):  # else RFC 8058 forbids it
            heads.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    first = "".join(f"{head}{_LINE}" for head in heads)
    return first.encode("ascii") + message.as_bytes()


def plain(text: str, most: int = _MOST_TEXT) -> str:
    """A text on one line, without marks that end lines or turn their direction, not too long."""
    one = " ".join(_UNWANTED.sub(" ", text).encode("utf-8", "replace").decode().split())
    return one if len(one) <= most else f"{one[: most - 1]}…"


def _part(part: MailTable | Items) -> dict[str, object]:
    if isinstance(part, Items):
        return {"title": plain(part.title), "lines": [plain(line) for line in part.lines]}
    return {
        "title": plain(part.title),
        "heads": [plain(head) for head in part.heads],
        "rows": [[plain(cell, 200) for cell in row] for row in part.rows],
    }
