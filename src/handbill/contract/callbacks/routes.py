"""Callbacks, the secret that signs them, and sending one again: additions."""

from typing import Any, Final

from handbill.callbacks import service
from handbill.contract.callbacks.models import Callback, CallbackPage, CallbackSecret, SentAgain
from handbill.http.kinds import Mint
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links

_MESSAGES: Final = {
    "SENDING": "Callback is being sent",
    "DELIVERED": "Callback was delivered already",
}


def _secret(call: Call) -> CallbackSecret:
    secret = service.secret_of(call.tx, call.ids, call.now, call.caller.agency_no)
    return CallbackSecret.of(secret=secret)


def _list(call: Call) -> Answer:
    callbacks, total = service.page(call.tx, call.caller.agency_no, *skip_and_limit(call))
    return with_links(call, CallbackPage.of(rows=list(map(Callback.of, callbacks))), total)


def _send_again(call: Call) -> SentAgain:
    callback_id = call.path["callback_id"]
    state = service.send_again(call.tx, call.now, call.caller.agency_no, callback_id)
    return SentAgain.of(result=True, message=_MESSAGES[state], state=state)


_SAMPLE: Final[dict[str, Any]] = {
    "id": "msg_k3v9x2m7q1z5n8d4s6h0a2c4e",
    "about": "5e0d9f2a-6c1b-4d3e-8f7a-9b0c1d2e3f4a",
    "url": "https://acme.example/reports/done",
    "state": "DEAD",
    "attempts": 8,
    "status": 503,
    "failure": "the address answered with status 503",
    "createdOn": "2019-11-29T10:00:00.000Z",
    "endedOn": "2019-12-02T10:00:00.000Z",
}
OPERATIONS = [
    Operation(
        name="get_callback_secret",
        open_to="owner",
        verb="GET",
        path="/callbacks/secret",
        title="Get the secret of callbacks.",
        about="Callbacks carry the headers of Standard Webhooks: webhook-id, the same at every "
        "attempt; webhook-timestamp, in seconds; webhook-signature, `v1,` and the base64 of the "
        "HMAC-SHA256 of `id.timestamp.body` under this secret, whose part after whsec_ is base64. "
        "Any 2xx completes a callback, 410 disables it; otherwise there are 8 attempts over three "
        "days.",
        work=_secret,
        kind=Mint(needs="write"),  # whoever knows it can speak in our name
        answer=CallbackSecret,
        sample_answer={"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw6ZUkW5N3c9A="},
    ),
    Operation(
        name="list_callbacks",
        verb="GET",
        path="/callbacks",
        title="Get callbacks.",
        about="Callbacks of the agency, about reports and runs of rules, newest first. Each is "
        "kept for 14 days.",
        work=_list,
        query=PAGED,
        answer=CallbackPage,
        sample_answer={"data": [_SAMPLE]},
    ),
    Operation(
        name="send_callback_again",
        verb="POST",
        path="/callbacks/{callback_id}/send-again",
        title="Send a callback again.",
        about="Sends a callback that is DEAD or DISABLED again, at once, with the same webhook-id "
        "and body, and 8 new attempts over three days. Links in the body may have ended. One that "
        "is being sent or was delivered stays as it is, so that repeating the request sends "
        "nothing twice. One that has nothing to send yet is refused.",
        work=_send_again,
        answer=SentAgain,
        sample_answer={"result": True, "message": "Callback is being sent", "state": "SENDING"},
    ),
]
