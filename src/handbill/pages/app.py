"""The pages as one application: the table of their rows, and the guards before each."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from handbill.host.ids import Ids, new_name
from handbill.pages import assets
from handbill.pages.calls import Calls, Declined
from handbill.pages.forms import (
    FormTooLarge,
    FormTooSlow,
    Unreadable,
    Untrusted,
    check_sender,
    check_token,
    read_fields,
    typed_in,
)
from handbill.pages.frame import HEADERS, PageLink, PageVisit, render, visit_of
from handbill.pages.rows import PageRow
from handbill.pages.views import (
    account,
    changes,
    changing,
    clients,
    entering,
    feeds,
    health,
    integrate,
    jobgroups,
    jobs,
    mails,
    people,
    providers,
    publishers,
    reports,
    rules,
    settings,
    today,
)
from handbill.pages.visitors import HOME, credential_of, return_path, visitor_of

_log = logging.getLogger("handbill.pages")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,100}")
_ZIPPED_FROM = 1_024
_ZIP_LEVEL = 4
_NOBODY = ("", 0)
Answered = Callable[[Request], Awaitable[Response]]

PAGES: Sequence[PageRow] = (
    *today.PAGES,
    *clients.PAGES,
    *jobs.PAGES,
    *jobgroups.PAGES,
    *publishers.PAGES,
    *feeds.PAGES,
    *rules.PAGES,
    *reports.PAGES,
    *changes.PAGES,
    *integrate.PAGES,
    *settings.PAGES,
    *changing.PAGES,
    *people.PAGES,
    *providers.PAGES,
    *health.PAGES,
    *account.PAGES,
    *mails.PAGES,
    *entering.PAGES,
)
"""Every page, in the order in which the navigation names them."""


class Pages:
    """The API, and the pages beneath /app, which call it in this process."""

    def __init__(self, api: ASGIApp, ids: Ids, address: str) -> None:
        self._api = api
        self._pages = _application(api, ids, address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_page = scope["type"] == "http" and (path == HOME or path.startswith(f"{HOME}/"))
        await (self._pages if is_page else self._api)(scope, receive, send)


def _application(api: ASGIApp, ids: Ids, address: str) -> ASGIApp:
    links = [PageLink(page.link, HOME + page.path, page.for_whom) for page in PAGES if page.link]
    tabs = [
        PageLink(page.tab, page.path.partition("}")[2], page.for_whom) for page in PAGES if page.tab
    ]

    def arrive(request: Request) -> PageVisit:
        given = request.headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_name(ids, 20)
        peer = request.scope.get("client") or _NOBODY
        calls = Calls(api, credential_of(request, address), request_id, (peer[0], peer[1]))
        visit = request.state.visit = PageVisit(calls, ids, address, links, tabs)
        return visit

    async def lost(request: Request, failure: Exception) -> Response:
        """A path or a verb that no page has. A form's own address, which stays in the browser where
        the form was wrong, leads to the page above it.
        """
        if isinstance(failure, HTTPException) and failure.status_code == 405:
            above = _above(request, routes) if request.method in {"GET", "HEAD"} else ""
            if above:
                return _sent(arrive(request), RedirectResponse(above, 303))
        status = failure.status_code if isinstance(failure, HTTPException) else 404
        visit = arrive(request)
        response = _told(request, status, _TOLD.get(status, _TOLD[404]))
        response.headers.update(getattr(failure, "headers", None) or {})  # Allow
        return _sent(visit, response)

    routes = [
        Route(
            (HOME + page.path).rstrip("/"),
            partial(_guarded, page, arrive),
            methods=list(page.verbs),
        )
        for page in PAGES
    ]
    routes.append(Route(f"{HOME}/static/{{name}}", _static, methods=["GET"]))
    made = Starlette(
        routes=routes,
        middleware=[
            Middleware(GZipMiddleware, minimum_size=_ZIPPED_FROM, compresslevel=_ZIP_LEVEL)
        ],
        exception_handlers={HTTPException: lost},
    )
    made.router.redirect_slashes = False
    return made


def _above(request: Request, routes: Sequence[Route]) -> str:
    """The nearest page above an address."""
    path = request.url.path
    while path := path.rpartition("/")[0]:
        asked = {**request.scope, "path": path}
        if any(route.matches(asked)[0] is Match.FULL for route in routes):
            return path
    return ""


async def _static(request: Request) -> Response:
    request.scope["page"] = "static"
    response = assets.sent(request)
    if response is None:
        raise HTTPException(404)
    response.headers["x-content-type-options"] = "nosniff"
    return response


async def _guarded(
    page: PageRow, arrive: Callable[[Request], PageVisit], request: Request
) -> Response:
    """A page behind its guards: who sends a form, and what becomes of a refusal."""
    request.scope["page"] = page.name
    visit = arrive(request)
    try:
        response = await _viewed(page, request)
    except Declined as declined:
        response = _refusal_page(request, declined)
    except Untrusted:
        response = _told(request, 403, _UNTRUSTED)
    except FormTooLarge:
        response = _told(request, 413, _TOLD[413])
    except FormTooSlow:
        response = _told(request, 408, _TOLD[408])
    except (ClientDisconnect, Unreadable):
        response = _told(request, 400, _TOLD[400])
    except HTTPException:
        raise
    except Exception:  # noqa: BLE001 - a bug: told with the id by which the log names it
        _log.exception("bug", extra={"requestId": visit.calls.request_id})
        response = _told(request, 500, _TOLD[500])
    return _sent(visit, response)


async def _viewed(page: PageRow, request: Request) -> Response:
    visit = visit_of(request)
    if page.by_link:
        visit.calls.credential = {}
    elif request.method == "POST":
        check_sender(request, visit.address)
        visit.fields = await read_fields(request)
        check_token(request, visit.calls.credential, visit.fields)
    if not page.is_public and not visit.calls.credential:
        return _signed_out(request)
    if not page.is_public:
        visit.visitor = await visitor_of(visit.calls)
    return await page.view_for(visit.visitor.role)(request)


def _refusal_page(request: Request, declined: Declined) -> Response:
    """What the API refuses, as a page."""
    if declined.status == 401:
        return _signed_out(request)
    known = _NOT_DONE if request.method == "POST" else _TOLD
    words = known.get(declined.status) or _TOLD.get(declined.status, _TOLD[400])
    faults = [f"{at.lstrip('/')} {text}".strip() for at, text in declined.faults.items()]
    retry = declined.retry_seconds
    response = _told(request, declined.status, words, faults=faults, retry=retry)
    if retry:
        response.headers["retry-after"] = retry
    return response


def _signed_out(request: Request) -> Response:
    """Signing in leads back to the page, or to the one that had the form: a page of a form alone
    cannot be shown.
    """
    words = (_NOT_DONE if request.method == "POST" else _TOLD)[401]
    here = str(request.url) if request.method != "POST" else request.headers.get("referer", "")
    return _told(request, 401, words, back=_page_of(here))


def _page_of(url: str) -> str:
    """The page of ours that an address names; else the start page."""
    return return_path(f"/{url.partition('://')[2].partition('/')[2]}")


def _told(request: Request, status: int, text: dict[str, str], **more: Any) -> Response:
    """A page in place of the one that was asked for; with what was typed, if that was a form."""
    visit = visit_of(request)
    typed = typed_in(request, visit.address, visit.fields)
    came_from = _page_of(request.headers.get("referer", "")) if request.method == "POST" else HOME
    again = "" if came_from == HOME or "back" in more else came_from
    return render(request, "told.html", status, **text, typed=typed, again=again, **more)


def _sent(visit: PageVisit, response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["x-request-id"] = visit.calls.request_id
    return response


def _text(title: str, text: str) -> dict[str, str]:
    return {"title": title, "text": text}


_UNTRUSTED = _text(
    "This form cannot be accepted",
    "It was not sent from a current page of this site. Open the page again and repeat the change.",
)
_NOT_DONE = {
    401: _text(
        "You are signed out", "Nothing was changed. Sign in, and then make the change again."
    ),
    400: _text("Nothing was changed", "The change was refused. Go back, correct it and try again."),
    404: _text("Nothing was changed", "What should be changed does not exist, or was deleted."),
}
_TOLD = {
    400: _text("This request cannot be read", "Something in the address is not valid."),
    401: _text("You are not signed in", "Sign in to see this page."),
    403: _text("You may not do this", "Your role does not allow it. An owner can change that."),
    404: _text("There is no such page", "It may have been deleted, or the address is not right."),
    405: _text("This page cannot do that", "Open it from a link."),
    408: _text("This form did not arrive", "The connection is very slow. Send it once more."),
    413: _text("This form is too large", "Send less at a time."),
    429: _text("Too many requests", "Too much is asked for at the moment. Try again soon."),
    500: _text("Something went wrong here", "This is our fault. It is noted under the id below."),
    503: _text("Not available at the moment", "The data cannot be read now. Try again soon."),
}
