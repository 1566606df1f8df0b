"""Who visits: the credential that a request carries, as the API takes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Calls

COOKIE = "handbill_session"
_FLOW, _FLOW_SECONDS, _MOST_FLOW = "handbill_sign_in", 600, 400
_HTTPS = "https://"
_MINDERS = frozenset(("OWNER", "OPERATOR"))
HOME = "/app"
_HEADERS = ("authorization", "x-api-key", "x-authorization-key")
_KEPT_SECONDS = 30 * 24 * 3_600  # no session lasts longer
_MOST_CREDENTIAL = 4_096
_OURS = re.compile(r"/app(/[\w.~%!$&'()*+,;=:@-]+)*(\?[\w.~%!$&'()*+,;=:@/?-]*)?", re.ASCII)


Whom = Literal["everybody", "employers", "agency", "traders", "owners", "operators"]
"""Who is meant. ``employers``: they and the agency. ``agency``: those who work for it. ``traders``:
those of them who may change things.
"""


@dataclass(frozen=True)
class Visitor:
    """What a page tells and offers. The API alone decides what a visitor may do. ``role``: empty
    for a program. ``may_mind``: people, as owners may. ``family_id``: of who works for a publisher
    partner.
    """

    name: str = ""
    role: str = ""
    may_change: bool = True
    may_mind: bool = False
    family_id: str = ""

    def is_among(self, whom: Whom) -> bool:
        """Whether links for these are shown to this visitor."""
        return {
            "everybody": True,
            "employers": self.role != "PUBLISHER",
            "agency": self.role not in {"PUBLISHER", "EMPLOYER"},
            "traders": self.may_change and self.role not in {"PUBLISHER", "EMPLOYER"},
            "owners": self.may_mind,
            "operators": self.role == "OPERATOR",
        }[whom]


def cookie_name(address: str) -> str:
    """The name of the session's cookie. Where the public address has TLS, one that browsers accept
    only from this very host over TLS: no other host of the domain can plant it.

    **Source**: RFC 6265bis, 4.1.3.2.
    """
    return f"__Host-{COOKIE}" if address.startswith(_HTTPS) else COOKIE


def credential_of(request: Request, address: str) -> dict[str, str]:
    """The headers to call the API with: the session's, or those of a program that asks for a page
    with the API's own credentials. Empty: there are none.
    """
    own = {name: request.headers.getlist(name) for name in _HEADERS if name in request.headers}
    if own:
        doubled = any(len(values) > 1 for values in own.values())
        return {} if doubled else {name: value for name, (value,) in own.items()}
    session = request.cookies.get(cookie_name(address), "")
    if not session or len(session) > _MOST_CREDENTIAL or not session.isascii():
        return {}
    return {"authorization": f"Bearer {session}"}


def keep_session(response: Response, secret: str, address: str) -> None:
    """Have the browser keep a session; only over TLS, where the public address has it."""
    response.set_cookie(
        cookie_name(address),
        secret,
        max_age=_KEPT_SECONDS,
        path=_path(address),
        secure=address.startswith(_HTTPS),
        httponly=True,
        samesite="lax",
    )


def forget_session(response: Response, address: str) -> None:
    """Have the browser forget it."""
    secure = address.startswith(_HTTPS)  # browsers ignore a __Host- cookie without it
    response.delete_cookie(cookie_name(address), path=_path(address), secure=secure)


def keep_flow(response: Response, flow: str, back: str, address: str) -> None:
    """Have the browser keep a sign-in under way at a provider, and where to go after it. It is sent
    along when the provider sends the person back, and with no request that others make.
    """
    response.set_cookie(
        _flow_name(address),
        f"{flow}|{quote(back, safe='')}",
        max_age=_FLOW_SECONDS,
        path=_path(address),
        secure=address.startswith(_HTTPS),
        httponly=True,
        samesite="lax",
    )


def flow_in(request: Request, address: str) -> tuple[str, str]:
    """The sign-in under way in this browser, and where to go after it; both may be empty."""
    flow, _, back = request.cookies.get(_flow_name(address), "").partition("|")
    return (flow, unquote(back)) if len(flow) <= _MOST_FLOW else ("", "")


def forget_flow(response: Response, address: str) -> None:
    """Have the browser forget it: it is used once."""
    secure = address.startswith(_HTTPS)
    response.delete_cookie(_flow_name(address), path=_path(address), secure=secure)


def _flow_name(address: str) -> str:
    return f"__Host-{_FLOW}" if address.startswith(_HTTPS) else _FLOW


def _path(address: str) -> str:
    return "/" if address.startswith(_HTTPS) else HOME  # __Host- demands the root


async def visitor_of(calls: Calls) -> Visitor:
    """Who is signed in; nobody where the credential is a program's. It lets the session go on.

    **Refuses** (Declined, 401) a session that has ended.
    """
    if "authorization" not in calls.credential:
        return Visitor(may_mind=True)
    beside = Calls(calls.api, calls.credential, calls.request_id, calls.peer)
    me = (await beside.get("/people/me")).json
    if me["session"]["renewalDue"]:
        await beside.ask("PUT", "/sessions/current")
    role = me["role"]
    name, family_id = me["name"] or me["mail"], me["publisherFamilyId"] or ""
    return Visitor(name, role, me["mayWrite"], role in _MINDERS, family_id)


def is_by_cookie(request: Request) -> bool:
    """Whether a browser has added the credential by itself, so that others may have caused it."""
    return not any(name in request.headers for name in _HEADERS)


def secret_of(credential: Mapping[str, str]) -> bytes:
    """What only this visitor's browser and this installation know."""
    return "\n".join(credential[name] for name in sorted(credential)).encode()


def return_path(text: str) -> str:
    """Where to go after signing in: a page of ours, and nowhere else."""
    return text if _OURS.fullmatch(text) and "/.." not in text else HOME
