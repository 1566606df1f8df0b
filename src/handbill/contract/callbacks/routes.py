"""The secret that callbacks are signed with: an addition."""

from handbill.callbacks import service
from handbill.contract.callbacks.models import CallbackSecret
from handbill.http.kinds import Mint
from handbill.http.operations import Call, Operation


def _secret(call: Call) -> CallbackSecret:
    secret = service.secret_of(call.tx, call.ids, call.now, call.caller.agency_no)
    return CallbackSecret.of(secret=secret)


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
]
