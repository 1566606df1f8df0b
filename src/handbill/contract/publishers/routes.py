"""Publishers, and the addresses of their feeds: an addition to the contract (section 6)."""

from typing import Any

from handbill.contract import examples
from handbill.contract.envelopes import Done, Made, Status, done
from handbill.contract.publishers.models import (
    NewPublisher,
    PublisherChange,
    PublisherFeed,
    PublisherPage,
    PublisherWithFeed,
    fetch_rows,
    publisher_told,
    publisher_with_feed,
)
from handbill.contract.switches import switches
from handbill.core.nouns import Publisher
from handbill.core.pacing.copies import ShownCopy
from handbill.http.kinds import Mint
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.listings import copies, minding
from handbill.listings.service import ALL_CLIENTS
from handbill.publishers import service
from handbill.wire.queries import OfClient

_PATH = "/publishers"
_ONE = f"{_PATH}/{{publisher_id}}"


def _publisher(call: Call) -> Publisher:
    return service.publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])


def _to_change(call: Call) -> Publisher:
    publisher_id = call.path["publisher_id"]
    return service.publisher_to_change(call.tx, call.caller.agency_no, publisher_id)


def _create(call: Call) -> Made:
    agency_no, given = call.caller.agency_no, call.body.given()
    made = minding.create(call.tx, call.ids, call.now, agency_no, **given)
    return Made.of(result=made.id, message="Publisher created")


def _url(call: Call, publisher: Publisher, client_no: int = ALL_CLIENTS) -> str | None:
    return minding.feed_url(call.tx, call.ids, call.settings, call.now, publisher, client_no)


def _held(call: Call, publisher: Publisher, client_no: int = ALL_CLIENTS) -> ShownCopy:
    return copies.copy_of(call.tx, publisher.no, call.now, client_no)


def _list(call: Call) -> Answer:
    publishers, total = service.page(call.tx, call.caller.agency_no, *skip_and_limit(call))
    rows = [publisher_told(one, call.caller.owner_id) for one in publishers]
    return with_links(call, PublisherPage.of(rows=rows), total)


def _get(call: Call) -> PublisherWithFeed:
    publisher = _publisher(call)
    url = _url(call, publisher)
    return publisher_with_feed(publisher, call.caller.owner_id, url, _held(call, publisher))


def _feed(call: Call) -> PublisherFeed:
    publisher = _publisher(call)
    url = _url(call, publisher, call.client.no)
    return PublisherFeed.of(
        publisher_id=publisher.id,
        client_id=call.client.id,
        feed_url=url,
        **fetch_rows(_held(call, publisher, call.client.no)),
    )


def _update(call: Call) -> Done:
    minding.update(call.tx, call.now, _to_change(call), call.body.given())
    return done("Publisher updated")


def _delete(call: Call) -> Done:
    minding.delete(call.tx, call.now, _to_change(call))
    return done("Publisher deleted")


def _switch(call: Call, status: Status) -> None:
    minding.switch(call.tx, call.now, _to_change(call), status)


_CLIENT_ID = "0b24ce32-5462-9024-a397-de37da501zzz"
_URL = "https://links.example.com/f/k0f3v1mx8c2b7q9z5n4d6s1h0a.xml"
_ROW: dict[str, Any] = {
    "id": "TestExp1",
    "value": "TestExp1",
    "name": "Test Exp 1",
    "placementAlias": "",
    "bidType": {
        "name": "CPC",
    },
    "minBid": 0.1,
    "flatBidValue": None,
    "currency": "USD",
    "url": "https://testexp.example",
    "country": "",
    "industry": [],
    "placementType": "All",
    "perClientPlacements": False,
    "isCompressedFeed": False,
    "schema": {
        "headerSchema": {},
        "jobSchema": {},
        "additionalFieldsV2": {},
        "fieldsWrappedInCdata": None,
        "includeCurrencyInBidTag": False,
    },
    "payEveryApply": False,
    "feedIndexLatency": 0,
    "deliverFeedByFTP": True,
    "ftpConfig": {
        "credentials": {
            "host": "ftp.testexp.example",
            "port": 21,
            "username": "ripple",
            "tls": True,
        },
        "pathTemplate": "{exportedName}.xml",
        "alertRecipients": [],
    },
    "publisherContactDetailsRevamp": [
        {
            "email": "jobs@testexp.example",
            "vpAccessEnabled": True,
            "notificationEnabled": False,
            "notificationAlertThreshold": None,
        },
    ],
    "vendorPortalDetails": [],
    "publisherPortalDetails": {
        "url": "https://portal.testexp.example",
        "username": "ripple",
    },
    "publisherReconciliationDetails": {
        "mode": "Portal",
        "startDate": "12/01/2019",
        "frequency": "Daily",
        "timezone": "UTC",
    },
    "agencies": [
        "ripple",
    ],
    "activeStatus": "A",
    "createdOn": "2019-11-29T10:00:00.000Z",
    "lastUpdated": "2019-11-29T10:00:00.000Z",
}
OPERATIONS = [
    Operation(
        name="list_publishers",
        verb="GET",
        path=_PATH,
        title="Get all publishers.",
        about="The agency's publishers, oldest first. The address of a feed is only in the answer "
        "for a single publisher.",
        work=_list,
        query=PAGED,
        answer=PublisherPage,
        sample_answer={"data": [_ROW]},
    ),
    Operation(
        name="create_publisher",
        verb="POST",
        path=_PATH,
        title="Create a publisher.",
        about="Creates a publisher of the agency, active at once, with an empty feed at a random "
        "address of its own. Its id is the one given, or its name with spaces and dots turned "
        "into _. A deleted publisher's id may be used again and gets its feed's former address.",
        work=_create,
        body=NewPublisher,
        answer=Made,
        sample={"id": "TestExp1", "name": "Test Exp 1", "bidType": "CPC", "currency": "USD"},
        sample_answer={"result": "TestExp1", "message": "Publisher created"},
    ),
    Operation(
        name="get_publisher",
        verb="GET",
        path=_ONE,
        title="Get a publisher.",
        about="The publisher, with the address of its feed for all clients (feedUrl) and the "
        "version that the publisher has. The address is random and does not change; anyone who "
        "knows it can read the feed.",
        work=_get,
        kind=Mint(),
        answer=PublisherWithFeed,
        sample_answer=_ROW | {"feedUrl": _URL} | examples.HELD,
    ),
    Operation(
        name="get_publisher_feed",
        verb="GET",
        path=f"{_ONE}/feeds",
        title="Get a publisher's feed of one client.",
        about="The address of the publisher's feed with the jobs of one client only. The address "
        "is created by the first request, and the file follows within seconds. Also returns which "
        "version the publisher has.",
        work=_feed,
        kind=Mint(),
        query=OfClient,
        answer=PublisherFeed,
        sample_answer={"publisherId": "TestExp1", "clientId": _CLIENT_ID, "feedUrl": _URL}
        | examples.HELD,
    ),
    Operation(
        name="update_publisher",
        verb="PUT",
        path=_ONE,
        title="Update a publisher.",
        about="Changes the publisher. Absent fields stay, null clears an optional field; schema "
        "and other objects and lists are replaced as a whole. A password that is left out is kept, "
        "as long as server, user name and tls are unchanged. Its feeds are written again.",
        work=_update,
        body=PublisherChange,
        answer=Done,
        sample={"minBid": 0.1},
        sample_answer={"result": True, "message": "Publisher updated"},
    ),
    Operation(
        name="delete_publisher",
        verb="DELETE",
        path=_ONE,
        title="Delete a publisher.",
        about="Deletes the publisher. Its feeds become empty; past clicks stay.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Publisher deleted"},
    ),
    *switches(
        "publisher",
        _ONE,
        _switch,
        pause="Empties the publisher's feeds. Pausing a paused publisher changes nothing.",
        enable="Fills the publisher's feeds again. Enabling an active publisher changes nothing.",
    ),
]
