"""Asks for pages as a browser does, without one: in this process, one request at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from lxml import html

from contract.asgi import Reply, call

EVIL = "<script>alert(1)</script>\"'&"


@dataclass(frozen=True)
class Seen:
    """A page as it came."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def headers(self) -> dict[str, str]:
        return self.reply.headers

    @property
    def text(self) -> str:
        return self.reply.raw.decode()

    @property
    def tree(self) -> html.HtmlElement:
        return html.document_fromstring(self.text)

    def all(self, path: str) -> list[str]:
        """What an XPath finds, as text without needless blanks."""
        return [
            " ".join((one if isinstance(one, str) else one.text_content()).split())
            for one in self.tree.xpath(path)
        ]


@dataclass
class Browser:
    """``headers``: the credential, as the API takes it."""

    app: Callable[..., Any]
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Seen:
        return Seen(call(self.app, "GET", path, headers=self.headers | headers))

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Seen:
        sent = {"content-type": "application/x-www-form-urlencoded"}
        more = self.headers | sent | headers
        return Seen(call(self.app, "POST", path, headers=more, raw=urlencode(fields).encode()))
