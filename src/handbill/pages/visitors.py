"""Who visits: the credential that a request carries, as the API takes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from handbill.pages.calls import Calls

COOKIE = "handbill_session"
HOME = "/app"
_HEADERS = ("authorization", "x-api-key", "x-authorization-key")
_MOST_CREDENTIAL = 4_096
_OURS = re.compile(r"/app(/[\w.~%!$&'()*+,;=:@-]+)*(\?[\w.~%!$&'()*+,;=:@/?-]*)?", re.ASCII)


@dataclass(frozen=True)
class Visitor:
    """What a page tells and offers. The API alone decides what a visitor may do. ``role``: empty
    for a program.
    """

    name: str = ""
    role: str = ""
    may_change: bool = True


async def visitor_of(calls: Calls) -> Visitor:
    """The person whose session it is. **Refuses** (Declined) a session that has ended."""
    if "authorization" not in calls.credential:
        return Visitor()
    me = (await calls.get("/people/me")).json
    return Visitor(me["name"] or me["mail"], me["role"], me["mayWrite"])


def credential_of(request: Request) -> dict[str, str]:
    """The headers to call the API with: the session's, or those of a program that asks for a page
    with the API's own credentials. Empty: there are none.
    """
    own = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    if own:
        return own
    session = request.cookies.get(COOKIE, "")
    if not session or len(session) > _MOST_CREDENTIAL or not session.isascii():
        return {}
    return {"authorization": f"Bearer {session}"}


def is_by_cookie(request: Request) -> bool:
    """Whether a browser has added the credential by itself, so that others may have caused it."""
    return not any(name in request.headers for name in _HEADERS)


def secret_of(credential: Mapping[str, str]) -> bytes:
    """What only this visitor's browser and this installation know."""
    return "\n".join(credential[name] for name in sorted(credential)).encode()


def return_path(text: str) -> str:
    """Where to go after signing in: a page of ours, and nowhere else."""
    return text if _OURS.fullmatch(text) and "/.." not in text else HOME
