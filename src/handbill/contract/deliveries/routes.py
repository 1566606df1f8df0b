"""Deliveries by FTP: what became of them, and a request to deliver now."""

from handbill.contract.deliveries.models import Delivery, DeliveryPage
from handbill.contract.envelopes import Done, done
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.listings import delivering, minding
from handbill.publishers import service as publishers

_PATH = "/publishers/{publisher_id}/deliveries"


def _list(call: Call) -> Answer:
    publisher_id = call.path["publisher_id"]
    publisher = publishers.publisher_of(call.tx, call.caller.agency_no, publisher_id)
    deliveries, total = delivering.page(call.tx, publisher, call.now, *skip_and_limit(call))
    return with_links(call, DeliveryPage.of(rows=list(map(Delivery.of, deliveries))), total)


def _deliver(call: Call) -> Done:
    publisher_id = call.path["publisher_id"]
    publisher = publishers.publisher_to_change(call.tx, call.caller.agency_no, publisher_id)
    minding.deliver(call.tx, call.now, publisher)
    return done("Delivery requested")


_SAMPLE = {
    "clientId": None,
    "path": "ripple.xml",
    "state": "DELIVERED",
    "current": True,
    "bytes": 48_213,
    "at": "2019-11-29T10:00:00.000Z",
    "deliveredOn": "2019-11-29T10:00:00.000Z",
    "failure": None,
}
OPERATIONS = [
    Operation(
        name="list_deliveries",
        verb="GET",
        path=_PATH,
        title="Get the deliveries of a publisher.",
        about="The last delivery by FTP of each of the publisher's files: the file of all clients "
        "or, with perClientPlacements, one file for each client. A file is delivered after it is "
        "written, at most every five minutes. A failed delivery is retried up to eight times, at "
        "growing intervals.",
        work=_list,
        query=PAGED,
        answer=DeliveryPage,
        sample_answer={"data": [_SAMPLE]},
    ),
    Operation(
        name="deliver_publisher",
        verb="POST",
        path=_PATH,
        title="Deliver a publisher's files now.",
        about="Delivers all of the publisher's files by FTP, including those that are already "
        "current on the server. GET …/deliveries shows the result.",
        work=_deliver,
        answer=Done,
        sample_answer={"result": True, "message": "Delivery requested"},
    ),
]
