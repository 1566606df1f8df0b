"""Publishers, wherever their feeds are touched: an addition to the contract (section 6)."""

from typing import Any

from handbill.core.nouns import Publisher
from handbill.http.operations import Call, Operation, done, result_schema
from handbill.listings import explain_routes, minding
from handbill.listings.service import ALL_CLIENTS
from handbill.publishers import service as publishers
from handbill.wire import samples
from handbill.wire.publishers import CREATE, PUBLISHER, UPDATE, spell_publisher
from handbill.wire.queries import OfClient
from handbill.wire.spelling import TEXT, described, whole

_TAG = "Publishers"
_PATH = "/publishers"
_ONE = f"{_PATH}/{{publisher_id}}"


def _publisher(call: Call) -> Publisher:
    return publishers.publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])


def _to_change(call: Call) -> Publisher:
    publisher_id = call.path["publisher_id"]
    return publishers.publisher_to_change(call.tx, call.caller.agency_no, publisher_id)


def _create(call: Call) -> dict[str, Any]:
    made = minding.create(call.tx, call.ids, call.now, call.caller.agency_no, call.body)
    return done("Publisher created", made.id)


def _url(call: Call, publisher: Publisher, client_no: int = ALL_CLIENTS) -> str | None:
    return minding.feed_url(call.tx, call.ids, call.settings, call.now, publisher, client_no)


def _get(call: Call) -> dict[str, Any]:
    publisher = _publisher(call)
    spelled = spell_publisher(publisher, call.caller.owner_id)
    return spelled | {"feedUrl": _url(call, publisher)}


def _feeds(call: Call) -> dict[str, Any]:
    publisher = _publisher(call)
    return {
        "publisherId": publisher.id,
        "clientId": call.client.id,
        "feedUrl": _url(call, publisher, call.client.no),
    }


def _update(call: Call) -> dict[str, Any]:
    minding.update(call.tx, call.now, _to_change(call), call.body)
    return done("Publisher updated")


def _delete(call: Call) -> dict[str, Any]:
    minding.delete(call.tx, call.now, _to_change(call))
    return done("Publisher deleted")


def _switch(call: Call, status: str, message: str) -> dict[str, Any]:
    minding.switch(call.tx, call.now, _to_change(call), status)
    return done(message)


def _pause(call: Call) -> dict[str, Any]:
    return _switch(call, "P", "Publisher paused")


def _enable(call: Call) -> dict[str, Any]:
    return _switch(call, "A", "Publisher enabled")


OPERATIONS = [
    *explain_routes.OPERATIONS,
    Operation(
        name="create_publisher",
        verb="POST",
        path=_PATH,
        title="Create a publisher.",
        about="Creates a publisher of the agency, active at once, with an empty feed at a random "
        "address of its own. Its id is the one given, or its name with spaces and dots turned "
        "into _. A deleted publisher's id may be used again and takes up its feed's address.",
        tag=_TAG,
        work=_create,
        body=CREATE,
        answer=result_schema(described(TEXT, "The new publisher's id.")),
        sample={"id": "TestExp1", "name": "Test Exp 1", "bidType": "CPC", "currency": "USD"},
        sample_answer={"result": "TestExp1", "message": "Publisher created"},
    ),
    Operation(
        name="get_publisher",
        verb="GET",
        path=_ONE,
        title="Get a publisher.",
        about="The publisher, with the address of its feed of all clients (feedUrl). The address "
        "is random and stays; whoever knows it may read the feed.",
        tag=_TAG,
        work=_get,
        mints=True,
        answer=PUBLISHER,
        sample_answer=samples.PUBLISHER,
    ),
    Operation(
        name="get_publisher_feed",
        verb="GET",
        path=f"{_ONE}/feeds",
        title="Get a publisher's feed of one client.",
        about="The address of the publisher's feed with the jobs of one client only. It is made "
        "when it is first asked for; the file follows within moments.",
        tag=_TAG,
        work=_feeds,
        mints=True,
        query=OfClient,
        answer=whole(
            {
                "publisherId": described(TEXT, "The publisher's id."),
                "clientId": described(TEXT, "The client's id."),
                "feedUrl": described(TEXT, "Address of the publisher's feed of this client."),
            }
        ),
        sample_answer=samples.PUBLISHER_FEED,
    ),
    Operation(
        name="update_publisher",
        verb="PUT",
        path=_ONE,
        title="Update a publisher.",
        about="Changes the publisher: what is absent stays, null clears what is optional; schema "
        "and other objects and lists are replaced as a whole. A password that is left out stays, "
        "as long as server, user name and tls do. Its feeds are written again.",
        tag=_TAG,
        work=_update,
        body=UPDATE,
        answer=result_schema(),
        sample={"minBid": 0.1},
        sample_answer={"result": True, "message": "Publisher updated"},
    ),
    Operation(
        name="delete_publisher",
        verb="DELETE",
        path=_ONE,
        title="Delete a publisher.",
        about="Deletes the publisher: its feeds become empty, clicks of the past stay.",
        tag=_TAG,
        work=_delete,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Publisher deleted"},
    ),
    Operation(
        name="pause_publisher",
        verb="PUT",
        path=f"{_ONE}/pause",
        title="Pause a publisher.",
        about="Empties the publisher's feeds. A paused one stays so.",
        tag=_TAG,
        work=_pause,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Publisher paused"},
    ),
    Operation(
        name="enable_publisher",
        verb="PUT",
        path=f"{_ONE}/enable",
        title="Enable a publisher.",
        about="Fills the publisher's feeds again. An active one stays so.",
        tag=_TAG,
        work=_enable,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Publisher enabled"},
    ),
]
