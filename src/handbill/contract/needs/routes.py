"""Addition to the contract: what needs somebody, over all clients of an agency."""

from typing import Final

from handbill.contract.needs.models import Needs, needs_told
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.stats import needs

_CLIENT_ID: Final = "40194b3f-7b49-41e8-b235-4d93a50330f3"
_FEED_ID: Final = "b2c5c9a2-6e1e-4f4c-8a5e-2f1f7a2f5a11"


def _needs(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    only = call.caller.only_clients
    rows, total = needs.needs(call.tx, call.caller.agency_no, skip, limit, call.now, only)
    return with_links(call, needs_told(rows, total, with_fixes=only is None), total)


OPERATIONS: Final = [
    Operation(
        name="list_needs",
        verb="GET",
        path="/needs",
        title="Get what needs somebody.",
        about="What stands still or has failed, over all active clients and publishers of the "
        "agency, newest first, each with a request that mends it if there is one. States are those "
        "of resolved-status, of the last evaluation. What is paused on purpose, has not started or "
        "has ended is left out, and so is what stands still for a cause further up. An EMPLOYER "
        "sees CAPPED, NO_JOBS and IMPORT_FAILED of its clients, without requests.",
        work=_needs,
        open_to="employer",
        lane="slow",
        query=PAGED,
        answer=Needs,
        sample_answer={
            "data": [
                {
                    "cause": "IMPORT_FAILED",
                    "entity": {
                        "kind": "FEED",
                        "id": _FEED_ID,
                        "name": "https://feeds.example.com/jobs.xml",
                    },
                    "client": {"id": _CLIENT_ID, "name": "External API-789"},
                    "campaignId": None,
                    "since": "2019-11-29T09:40:00.000Z",
                    "description": "the last import has failed: The server answered with 404",
                    "fix": {
                        "method": "POST",
                        "path": f"/clients/{_CLIENT_ID}/feeds/{_FEED_ID}/run",
                        "headers": {},
                        "body": None,
                    },
                }
            ],
            "total": 1,
        },
    ),
]
