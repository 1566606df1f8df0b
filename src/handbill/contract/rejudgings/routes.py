"""Operations of months judged again: an addition to the contract."""

from typing import Any, Final

from handbill.contract.envelopes import Made
from handbill.contract.rejudgings.models import RejudgingAsked, RejudgingPage, rejudged_told
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.ledger import rejudgings

_PATH: Final = "/clients/{client_id}/rejudgings"


def _ask(call: Call) -> Made:
    asked: RejudgingAsked = call.body
    made = rejudgings.ask(
        call.tx, call.now, call.ids, call.client, asked.month, only_looks=asked.only_looks
    )
    rejudgings.ask_worker(call.tx, call.now, made)
    return Made.of(result=made, message="Rejudging submitted")


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    rows, total = rejudgings.page(call.tx, call.client, skip, limit)
    return with_links(call, RejudgingPage.of(rows=list(map(rejudged_told, rows))), total)


_ID: Final = "3d6c0c1e-2f0a-4a8e-9a54-0f1b7c9d2e11"
_DONE: dict[str, Any] = {
    "id": _ID,
    "month": "2026-11",
    "validateOnly": False,
    "status": "SUCCESS",
    "message": None,
    "outcome": {
        "clicks": 18_240,
        "corrected": [{"from": "valid", "to": "bot", "reason": "agent_added", "clicks": 412}],
        "unknown": [{"rule": "address_list", "clicks": 17}],
        "applies": 0,
        "spent": -206.5,
        "netSpent": -165.2,
        "markedUpSpent": -227.15,
        "more": False,
    },
    "createdOn": "2026-11-28T09:30:00.000Z",
    "endedOn": "2026-11-28T09:30:04.000Z",
}
OPERATIONS: Final = [
    Operation(
        name="create_rejudging",
        verb="POST",
        path=_PATH,
        title="Judge a month again.",
        about="Classes the clicks of an open month again by the click definitions, lists of bots "
        "and settings in force now, and corrects what differs: one entry takes the former one "
        "back, another stands for it. Applies follow their click. What is given back makes room "
        "in caps; what is to be paid now is paid only where caps have room. What had no room "
        "stays unpaid. Rules that ask for what is not kept (whole addresses) leave the click as it "
        "is. Closed months are refused. Repeating it adds nothing.",
        work=_ask,
        body=RejudgingAsked,
        answer=Made,
        sample={"month": "2026-11", "validateOnly": True},
        sample_answer={"result": _ID, "message": "Rejudging submitted"},
    ),
    Operation(
        name="list_rejudgings",
        verb="GET",
        path=_PATH,
        title="Get the months that were judged again.",
        about="What came of each, newest first.",
        work=_list,
        query=PAGED,
        answer=RejudgingPage,
        sample_answer={"data": [_DONE]},
    ),
]
