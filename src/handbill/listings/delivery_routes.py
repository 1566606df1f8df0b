"""An addition to the contract: what became of deliveries by FTP, and to deliver now."""

from typing import Any

from handbill.clients import service as clients
from handbill.core.nouns import Publisher
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.instants import Instant
from handbill.listings import delivery_rows, minding
from handbill.listings.delivering import digest_of, is_delivered, paths_of
from handbill.publishers import service as publishers
from handbill.store.records import Tx
from handbill.wire.deliveries import DELIVERY, SAMPLE, spell_delivery

_PATH = "/publishers/{publisher_id}/deliveries"


def deliveries(
    tx: Tx, publisher: Publisher, now: Instant, skip: int, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Some of a publisher's files that are, or once were, delivered, as they are answered; and how
    many there are in all.
    """
    wanted = is_delivered(publisher)
    which = delivery_rows.APART if publisher.body.per_client else delivery_rows.WHOLE
    found, total = delivery_rows.page(
        tx, publisher.no, which if wanted else delivery_rows.NONE, skip, limit
    )
    files = [file for file, _ in found]
    paths = paths_of(tx, publisher, files, now) if wanted else [""] * len(files)
    known = clients.clients_by_number(tx, (file.client_no for file in files))
    told = []
    for (file, last), path in zip(found, paths, strict=True):
        client = known.get(file.client_no)
        there = last.path if last else path
        told.append(
            spell_delivery(
                client_id=client.id if client else None, path=there,
                state=last.state if last else "WAITING",
                current=last is not None and last.digest == digest_of(publisher, there, file),
                size=last.size if last else None, tried_at=last.tried_at if last else None,
                delivered_at=last.delivered_at if last else None,
                failure=last.failure if last else None,
            )
        )  # fmt: skip
    return told, total


def _list(call: Call) -> Any:
    publisher = publishers.publisher_of(
        call.tx, call.caller.agency_no, call.path["publisher_id"]
    )  # fmt: skip
    told, total = deliveries(call.tx, publisher, call.now, *skip_and_limit(call))
    return with_links(call, {"data": told}, total)


def _deliver(call: Call) -> dict[str, Any]:
    publisher = publishers.publisher_to_change(
        call.tx, call.caller.agency_no, call.path["publisher_id"]
    )
    minding.deliver(call.tx, call.now, publisher)
    return done("Delivery requested")


OPERATIONS = [
    Operation(
        name="list_deliveries",
        verb="GET",
        path=_PATH,
        title="Get the deliveries of a publisher.",
        about="The last delivery by FTP of each of the publisher's files: that of all clients, or "
        "with perClientPlacements one for each client. A file is delivered when it was written, at "
        "most every five minutes; a failed delivery is tried eight times, at growing intervals.",
        tag="Publishers",
        work=_list,
        query=PAGED,
        answer=page_schema(DELIVERY),
        sample_answer=SAMPLE,
    ),
    Operation(
        name="deliver_publisher",
        verb="POST",
        path=_PATH,
        title="Deliver a publisher's files now.",
        about="Has all of the publisher's files delivered by FTP, whatever is there already. What "
        "comes of it is told by the list of deliveries.",
        tag="Publishers",
        work=_deliver,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Delivery requested"},
    ),
]
