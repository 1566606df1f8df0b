"""Operations of saved questions, and of links to their answers: additions."""

from typing import Any, Final, cast

from handbill.contract.envelopes import Done, Made, done
from handbill.contract.overview.models import timeseries_told
from handbill.contract.questions.models import (
    LinkMade,
    LinkWish,
    NewQuestion,
    QuestionPage,
    SharedReport,
    saved_told,
)
from handbill.core.metrics import finished_for_employers
from handbill.http.kinds import Change, Public
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.stats import overviews, sharing
from handbill.stats.overviews import By

_PATH: Final = "/clients/{client_id}/report-questions"
_ONE: Final = f"{_PATH}/{{question_id}}"
_METRICS: Final = ("spent", "clicks", "applyStarts", "applies", "hires", "cpa")


def _maker(call: Call) -> sharing.Maker:
    caller = call.caller
    if caller.standing is not None:
        return sharing.Maker(caller.standing.person_no, None, None)
    return sharing.Maker(None, caller.key_no, caller.api_client_id)


def _save(call: Call) -> Made:
    asked: NewQuestion = call.body
    made = sharing.save(
        call.tx,
        call.ids,
        call.now,
        call.client,
        asked.name,
        asked.days,
        asked.told_by,
    )
    return Made.of(result=made, message="Question saved")


def _list(call: Call) -> Answer:
    questions, total = sharing.page(call.tx, call.client, *skip_and_limit(call))
    return with_links(call, QuestionPage.of(rows=list(map(saved_told, questions))), total)


def _delete(call: Call) -> Done:
    sharing.delete(call.tx, call.now, call.client, call.path["question_id"])
    return done("Question deleted")


def _share(call: Call) -> LinkMade:
    wish: LinkWish = call.body
    secret, until_at = sharing.share(
        call.tx,
        call.ids,
        call.now,
        call.client,
        call.path["question_id"],
        _maker(call),
        wish.days,
    )
    url = f"{call.settings.public_api}/app/shared/{secret}"
    return LinkMade.of(url=url, secret=secret, until_at=until_at)


def _end(call: Call) -> Done:
    sharing.end_link(call.tx, call.now, call.client, call.path["question_id"])
    return done("Link ended")


def _shared(call: Call) -> SharedReport:
    client, saved = sharing.shared(call.tx, call.now, call.path["link"])
    by = cast(By, saved.told_by)
    series = overviews.timeseries(call.tx, client, saved.days, by, "markedUpSpent", call.now)
    metrics = {name: finished_for_employers(name) for name in _METRICS}
    return SharedReport.of(
        name=saved.name,
        client=client.body.company_name,
        days=saved.days,
        until_at=saved.link_until,
        answer=timeseries_told(series, by, metrics),
    )


_ID: Final = "0b6f2f0e-3c55-4a39-9a43-6f4f7f1a2b11"
_UNTIL: Final = "2026-12-05T10:00:00.000Z"
_SECRET: Final = "hbr_k3v9x2m7q1zt_......."  # noqa: S105 - no secret, a sample
_SAVED: Final[dict[str, Any]] = {"name": "By campaign", "days": 30, "by": "campaign"}
OPERATIONS: Final = [
    Operation(
        name="save_report_question",
        verb="POST",
        path=_PATH,
        title="Save a question about a client.",
        about="Saves which figures are asked for, to ask for them again or to share them. A client "
        f"has {sharing.MOST} at most.",
        work=_save,
        body=NewQuestion,
        answer=Made,
        sample=_SAVED,
        sample_answer={"result": _ID, "message": "Question saved"},
    ),
    Operation(
        name="list_report_questions",
        verb="GET",
        path=_PATH,
        title="Get saved questions of a client.",
        about="Oldest first. The answer to one is GET …/timeseries with its days and by.",
        work=_list,
        query=PAGED,
        answer=QuestionPage,
        sample_answer={
            "data": [
                {
                    "id": _ID,
                    **_SAVED,
                    "createdOn": "2026-11-28T10:00:00.000Z",
                    "linkExpiresOn": _UNTIL,
                }
            ]
        },
    ),
    Operation(
        name="share_report_question",
        verb="POST",
        path=f"{_ONE}/link",
        title="Share a saved question by a link.",
        about="Makes a link by which anybody reads the answer to this question, and nothing else, "
        "until it ends. The figures are of those that an EMPLOYER may see: marked-up spend, no "
        "bids or prices. The question's former link ends. The link also ends when the person who "
        "made it is removed or may no longer change the client, or when the API key or the API "
        "client that it was made with is revoked or has expired.",
        work=_share,
        kind=Change(shows_once=True),
        body=LinkWish,
        must_have_body=False,
        answer=LinkMade,
        sample={"days": 7},
        sample_answer={
            "url": f"https://api.example.com/app/shared/{_SECRET}",
            "secret": _SECRET,
            "expiresOn": _UNTIL,
        },
    ),
    Operation(
        name="end_report_link",
        verb="DELETE",
        path=f"{_ONE}/link",
        title="End the link of a saved question.",
        about="Without a link, nothing changes.",
        work=_end,
        answer=Done,
        sample_answer={"result": True, "message": "Link ended"},
    ),
    Operation(
        name="delete_report_question",
        verb="DELETE",
        path=_ONE,
        title="Delete a saved question.",
        about="Its link ends with it.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Question deleted"},
    ),
    Operation(
        name="get_shared_report",
        verb="GET",
        path="/shared-reports/{link}",
        title="Get the answer that a link shares.",
        about="The figures of the question as of now. No key is needed. An unknown link and one "
        "that has ended get the same 404.",
        kind=Public(),
        work=_shared,
        answer=SharedReport,
        sample_answer={
            "name": "By campaign",
            "client": "External API-789",
            "days": 2,
            "expiresOn": _UNTIL,
            "answer": {
                "currency": "USD",
                "startDate": "11/27/2026",
                "endDate": "11/28/2026",
                "by": "campaign",
                "series": [],
                "others": None,
            },
        },
    ),
]
