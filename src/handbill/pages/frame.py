"""What all pages share: the frame around them, its headers, and messages after a change."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from handbill.host.ids import Ids
from handbill.kit.jsons import NotJson, decode, encode
from handbill.kit.signing import same
from handbill.pages import cells, differences, drawing, exports, wording
from handbill.pages.assets import asset_url
from handbill.pages.calls import Calls, asked, at
from handbill.pages.forms import TOKEN, Fields, form_token, seal
from handbill.pages.visitors import HOME, Visitor, Whom

_POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_FLASH = "handbill_flash"
_FLASH_SECONDS = 60
_MOST_FLASH = 2_000


@dataclass(frozen=True)
class PageLink:
    """A way to a page. ``path``: of one of a client's, what follows the client's path."""

    title: str
    path: str
    for_whom: Whom = "agency"


@dataclass
class PageVisit:
    """One request for a page. ``fields``: of the form that was sent."""

    calls: Calls
    ids: Ids
    address: str
    links: list[PageLink]
    tabs: list[PageLink]
    visitor: Visitor = field(default_factory=Visitor)
    fields: Fields = field(default_factory=Fields)


def visit_of(request: Request) -> PageVisit:
    """What belongs to this request."""
    return cast(PageVisit, request.state.visit)


def calls_of(request: Request) -> Calls:
    """What the page asks the API with."""
    return visit_of(request).calls


def render(
    request: Request, template: str, status: int = 200, *, file: str = "", **context: Any
) -> Response:
    """A page; or the part of it that is asked for, as a file. ``file``: the part that a form asks
    for; ``context``: what the template says; ``client``: whose page it is, with id and name.
    **Refuses** (404) a part that it has not.
    """
    visit = visit_of(request)
    flash = _flash_in(request)
    part = file or exports.asked_for(request) if status == 200 else ""
    text = (
        (_for_files() if part else _templates())
        .get_template(template)
        .render(
            {
                "client": None,
                **context,
                "visit": visit,
                "visitor": visit.visitor,
                "calls": visit.calls,
                "here": request.url.path,
                "files": _files_of(request),
                "is_file": bool(part),
                "query": request.query_params,
                "flash": flash,
                "request_id": visit.calls.request_id,
                "token_name": TOKEN,
                "form_token": form_token(visit.calls.credential, visit.ids),
            }
        )
    )
    if part:
        download = exports.file_of(text, part)
        if download is None:
            raise HTTPException(404)
        return download
    response = Response(text, status, media_type="text/html")
    if flash:
        response.delete_cookie(_FLASH, path=HOME)
    return response


def _files_of(request: Request) -> Callable[[str, str], list[tuple[str, str]]]:
    """What tells the address and the title of each file of a panel, by its name and markup. What
    answers a form has none: it cannot be asked for again.
    """
    asked_now = dict(request.query_params)

    def found(panel: str, inside: str) -> list[tuple[str, str]]:
        if request.method == "POST":
            return []
        return [
            (asked(request.url.path, asked_now | {exports.ASKED: part.name}), part.title)
            for part in exports.parts_of(panel, inside)
        ]

    return found


def leave(request: Request, path: str, message: str = "", change_id: str = "") -> Response:
    """After a change: the next page, which shows the message, and offers to undo the change."""
    response = RedirectResponse(path, 303)
    if message:
        text = encode([message, change_id, seal(calls_of(request).credential, message + change_id)])
        response.set_cookie(
            _FLASH,
            base64.urlsafe_b64encode(text).decode(),
            max_age=_FLASH_SECONDS,
            path=HOME,
            httponly=True,
            samesite="lax",
        )
    return response


def _flash_in(request: Request) -> dict[str, str] | None:
    """The message that the last change left, if we have written it."""
    text = request.cookies.get(_FLASH, "")
    if not text or len(text) > _MOST_FLASH or not text.isascii():
        return None
    try:
        parts = decode(base64.urlsafe_b64decode(text))
    except (NotJson, binascii.Error):
        return None
    if (
        not isinstance(parts, list)
        or len(parts) != 3
        or not all(isinstance(one, str) for one in parts)
    ):
        return None
    message, change_id, mark = parts
    known = seal(calls_of(request).credential, message + change_id)
    if not same(mark.encode(), known.encode()):
        return None
    return {"message": message, "change_id": change_id}


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("handbill.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "asset_url": asset_url,
        "at": at,
        "asked": asked,
        "share": wording.share,
        "drawing": drawing,
    }
    for write in (
        wording.money,
        wording.number,
        wording.counted,
        cells.titled,
        wording.average,
        wording.bytes,
        wording.percent,
        wording.change,
        wording.instant,
        wording.moment,
        wording.when,
        wording.sentence,
        wording.words,
        wording.raw,
        wording.fix_words,
        wording.course_of,
        wording.paid_by,
        wording.every,
        wording.lasting,
        wording.day,
        wording.expected,
        differences.named,
        wording.days_back,
    ):
        made.filters[write.__name__] = write
    return made


@cache
def _for_files() -> Environment:
    """Templates whose figures are written exactly."""
    made = _templates().overlay()
    made.filters = {**made.filters, **exports.EXACTLY}
    return made
