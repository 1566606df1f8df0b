"""The list of publishers. Whatever touches their feeds stands in ``listings.routes``."""

from typing import Any

from handbill.http.operations import PAGED, Call, Operation, page_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.publishers import service
from handbill.wire import samples
from handbill.wire.publishers import PUBLISHER, spell_publisher


def _list(call: Call) -> Any:
    skip, limit = skip_and_limit(call)
    found, total = service.page(call.tx, call.caller.agency_no, skip, limit)
    return with_links(
        call, {"data": [spell_publisher(one, call.caller.owner_id) for one in found]}, total
    )


OPERATIONS = [
    Operation(
        name="list_publishers",
        verb="GET",
        path="/publishers",
        title="Get all publishers.",
        about="The agency's publishers, oldest first. One publisher's own page carries the address "
        "of its feed.",
        tag="Publishers",
        work=_list,
        query=PAGED,
        answer=page_schema(PUBLISHER),
        sample_answer={"data": [samples.PUBLISHER_ROW]},
    ),
]
