"""Mails: what a person has chosen, and the page of the link that ends them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from handbill.pages.calls import Declined
from handbill.pages.forms import Fields, Form
from handbill.pages.frame import calls_of, leave, render, visit_of
from handbill.pages.rows import PageRow
from handbill.pages.views.changing import every_client

_MINE = "/people/me/mails"
_ENDED = {"WEEKLY": "weekly report", "DIGEST": "daily digest", "ALERTS": "alerts"}
SWITCHES = (
    ("weeklyReport", "Weekly report", "Spend, clicks, applies and CPA, on Monday."),
    ("dailyDigest", "Daily digest", "What needs you, on days when something does."),
    ("feedFailedAlert", "A feed has failed", ""),
    ("rulePausedAlert", "A rule is paused", ""),
    ("notFetchedAlert", "A publisher has not fetched, or cannot be delivered to", ""),
)
"""Field, title and hint of each mail that is on or off."""
_NUMBERS = ("hour", "underPaceAlert", "noAppliesAlert")
_NOT_FOR_EMPLOYERS = ("rulePausedAlert", "notFetchedAlert", "underPaceAlert")


async def mails(request: Request) -> Response:
    """What one wants to be mailed. It is chosen by this form and ended by the link in each mail."""
    calls, fields, role = (
        calls_of(request),
        visit_of(request).fields,
        visit_of(request).visitor.role,
    )
    form, status = Form(), 200
    if request.method == "POST":
        try:
            await calls.ask("PUT", _MINE, _body(fields, role))
        except Declined as declined:
            if declined.status not in {400, 404}:
                raise
            typed = {name: fields.get(name, "") for name in ("zone", *_NUMBERS, "clients")}
            form, status = Form.declined(typed, declined), declined.status
        else:
            return leave(request, "/app/account/mails", "Your mails were changed.")
    mine = await calls.get(_MINE)
    clients = await every_client(calls, role) if role != "PUBLISHER" else {}
    shown = _typed(fields, mine.json) if status != 200 else mine.json
    hidden = _NOT_FOR_EMPLOYERS if role == "EMPLOYER" else ()
    return render(
        request,
        "mails.html",
        status,
        mine=mine,
        shown=shown,
        clients=clients,
        form=form,
        switches=[one for one in SWITCHES if one[0] not in hidden],
        hidden=hidden,
    )


def _body(fields: Fields, role: str) -> dict[str, Any]:
    """What the form says. What an employer is not told is not asked for."""
    hidden = _NOT_FOR_EMPLOYERS if role == "EMPLOYER" else ()
    body: dict[str, Any] = {"zone": fields.get("zone", "") or None}
    body |= {name: name in fields for name, _, _ in SWITCHES if name not in hidden}
    body |= {name: _whole(fields.get(name, "")) for name in _NUMBERS if name not in hidden}
    return body | {"clients": fields.getlist("clients") or None}


def _typed(fields: Fields, mine: dict[str, Any]) -> dict[str, Any]:
    """What was typed, in place of what is stored."""
    on = {name: name in fields for name, _, _ in SWITCHES}
    return mine | on | {"clients": fields.getlist("clients") or None}


def _whole(text: str) -> int | str | None:
    """A number where it is one: of anything else, the API says what is wrong."""
    if not text:
        return None
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 9 else text


async def end(request: Request) -> Response:
    """A button, and what becomes of it: scanners of mail follow every link, but press no button.
    Mail programs send the same form by themselves (RFC 8058).
    """
    token = request.query_params.get("token", "")
    if request.method != "POST":
        return render(request, "end_mails.html", token=token, ended="", is_wrong=False)
    try:
        made = await calls_of(request).ask("POST", "/mails/end", {"token": token})
    except Declined as declined:
        if declined.status not in {400, 404}:
            raise
        return render(request, "end_mails.html", 404, token=token, ended="", is_wrong=True)
    ended = _ENDED[made.json["mails"]]
    return render(request, "end_mails.html", token=token, ended=ended, is_wrong=False)


_BOTH = ("GET", "POST")
PAGES = [
    PageRow("mails", "/account/mails", mails, _BOTH, for_whom="employers"),
    PageRow("end_mails", "/mails/end", end, _BOTH, is_public=True, by_link=True),
]
