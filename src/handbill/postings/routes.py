"""Operations 41 to 45 and 48: purchases of slots and durations. Their jobs: ``job_routes``."""

from typing import Any

from handbill.core.posting_costs import hours_of, per_job_and_day, per_slot_and_hour
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.instants import Instant, iso_of
from handbill.kit.money import number_of
from handbill.postings import job_routes, service, slots
from handbill.postings.job_routes import OF_CLIENT, OF_PUBLISHER, posting, publisher
from handbill.postings.rows import Posting
from handbill.publishers.service import publishers_by_number
from handbill.wire import postings as wire
from handbill.wire import room_samples
from handbill.wire.spelling import TEXT, described

_CONFIGS = "Posting configs"
_SAMPLE_ID = "213d2dcb-d72b-43fb-85bc-71e1aaa8fe8a"


# ── spelling ────────────────────────────────────────────────────────────────────────────────────
def _listed(bought: Posting, agency_id: str, at: tuple[str, str], now: Instant) -> Any:
    """The list form of a purchase (op 42, 48), in the reference's order of keys."""
    body, stay = bought.body, slots.stay_days(bought)
    hours = hours_of(bought.start_at, bought.end_at)
    day = per_job_and_day(body.cost_micros, body.available, stay)
    hour = per_slot_and_hour(body.cost_micros, body.available, hours)
    return {
        "id": bought.id,
        "agencyId": agency_id,
        "clientIds": bought.client_ids,
        "placement": at[0],
        "placementName": at[1],
        "cost": number_of(body.cost_micros),
        "costPerJobPerDay": number_of(day),
        "costPerSlotPerHour": number_of(hour),
        "startDate": iso_of(bought.start_at),
        "endDate": iso_of(bought.end_at),
        "duration": hours,
        "availableCount": body.available,
        "rotateFreqInDays": body.rotate_days,
        "usedCount": slots.used(bought),
        "lastRotated": iso_of(bought.turned_at),
        "isActive": bought.start_at <= now <= bought.end_at,
        "lastUpdated": iso_of(bought.updated_at),
        "createdOn": iso_of(bought.created_at),
        "jobDuration": stay,
        "postedJobsCount": bought.ever,
        "configType": "SLOT" if slots.is_slots(bought) else "DURATION",
        "minJobDurationInDays": body.least_stay_days,
        "billingType": {"name": body.billing},
        "purchaseType": {"name": body.purchase},
    }


def _got(bought: Posting, agency_id: str, at: tuple[str, str], now: Instant) -> Any:
    """The get form of a purchase (op 44), in the reference's order of keys."""
    body = bought.body
    return {
        "id": bought.id,
        "agencyId": agency_id,
        "clientIds": bought.client_ids,
        "placement": at[0],
        "placementName": at[1],
        "cost": number_of(body.cost_micros),
        "startDate": iso_of(bought.start_at),
        "endDate": iso_of(bought.end_at),
        "dateFormat": body.date_format,
        "availableCount": body.available,
        "rotateFreqInDays": body.rotate_days,
        "jobDuration": slots.stay_days(bought),
        "minJobDurationInDays": body.least_stay_days,
        "billingType": body.billing,
        "purchaseType": body.purchase,
        "isActive": bought.start_at <= now <= bought.end_at,
        "usedCount": slots.used(bought),
    }


def _all_listed(call: Call, found: list[Posting]) -> list[Any]:
    publishers = publishers_by_number(call.tx, (one.publisher_no for one in found))
    names = {no: (one.id, one.body.name) for no, one in publishers.items()}
    agency_id = call.caller.owner_id
    return [_listed(one, agency_id, names[one.publisher_no], call.now) for one in found]


# ── purchases ───────────────────────────────────────────────────────────────────────────────────
def _create(call: Call) -> dict[str, Any]:
    place = (call.client, publisher(call))
    return done("Config created", service.create(call.tx, call.ids, call.now, place, call.body))


def _list_at(call: Call) -> Any:
    """The newest at the top level as in the sample, and all of them in ``data``."""
    at = publisher(call)
    skip, limit = skip_and_limit(call)
    found, total = service.page_at(call.tx, call.client, at, skip, limit)
    newest = service.newest_at(call.tx, call.client, at)
    top = _all_listed(call, [newest])[0] if newest is not None else {}
    return with_links(call, top | {"data": _all_listed(call, found)}, total)


def _list_of_client(call: Call) -> Any:
    found, total = service.page(call.tx, call.client, *skip_and_limit(call))
    return with_links(call, {"data": _all_listed(call, found)}, total)


def _get(call: Call) -> Any:
    found, at = posting(call), publisher(call)
    return _got(found, call.caller.owner_id, (at.id, at.body.name), call.now)


def _update(call: Call) -> dict[str, Any]:
    service.update(call.tx, call.now, call.client, posting(call), call.body)
    return done("Config update processed")


def _delete(call: Call) -> dict[str, Any]:
    service.delete(call.tx, call.now, call.client, posting(call))
    return done("Config update processed")


# ── the table ───────────────────────────────────────────────────────────────────────────────────
OPERATIONS = [
    Operation(
        name="create_posting_config",
        number=41,
        verb="POST",
        path=OF_PUBLISHER,
        title="Create a config/posting.",
        about="Buys slots (rotateFreqInDays above 0) or durations at the publisher. Start and end "
        "are compared by day; a past start is accepted. Nothing is active before the start and "
        "after the end.",
        tag=_CONFIGS,
        work=_create,
        body=wire.CREATE,
        answer=result_schema(described(TEXT, "The new config's id.")),
        sample={
            "cost": 220,
            "startDate": "2020-08-03T05:19:00.000Z",
            "endDate": "2020-08-03T05:13:00.000Z",
            "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
            "availableCount": 100,
            "rotateFreqInDays": 2,
            "jobDuration": 10,
            "minJobDurationInDays": 2,
        },
        sample_answer={"result": _SAMPLE_ID, "message": "Config created"},
    ),
    Operation(
        name="list_posting_configs_of_publisher",
        number=42,
        verb="GET",
        path=OF_PUBLISHER,
        title="Get all config/posting.",
        about="The newest posting at the top level, as the reference's sample has it, and every "
        "one in data, oldest first. Without any there is only an empty data.",
        tag=_CONFIGS,
        work=_list_at,
        query=wire.OptionalPage,
        answer=wire.NEWEST_AND_ALL,
        sample_answer=room_samples.POSTING_ROW | {"data": [room_samples.POSTING_ROW]},
    ),
    Operation(
        name="update_posting_config",
        number=43,
        verb="PUT",
        path=f"{OF_PUBLISHER}/{{config_id}}",
        title="Update a config/posting.",
        about="Changes the posting: what is absent stays. There cannot be fewer slots than are in "
        "use, and slots cannot become durations. Clients left out of clientIds lose their jobs.",
        tag=_CONFIGS,
        work=_update,
        body=wire.UPDATE,
        answer=result_schema(),
        sample={
            "cost": 1000,
            "endDate": "2020-08-03T05:13:00.000Z",
            "availableCount": 50,
            "rotateFreqInDays": 5,
            "jobDuration": 20,
            "minJobDurationInDays": 2,
        },
        sample_answer={"result": True, "message": "Config update processed"},
    ),
    Operation(
        name="get_posting_config",
        number=44,
        verb="GET",
        path=f"{OF_PUBLISHER}/{{config_id}}",
        title="Get a config/posting.",
        about="One posting; its instants are ISO 8601, whatever its dateFormat.",
        tag=_CONFIGS,
        work=_get,
        answer=wire.GOT,
        sample_answer=room_samples.POSTING,
    ),
    Operation(
        name="delete_posting_config",
        number=45,
        verb="DELETE",
        path=f"{OF_PUBLISHER}/{{config_id}}",
        title="Delete a config/posting.",
        about="Deletes the posting; its jobs leave the publisher's feed.",
        tag=_CONFIGS,
        work=_delete,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Config update processed"},
    ),
    Operation(
        name="list_posting_configs",
        number=48,
        verb="GET",
        path=OF_CLIENT,
        title="Get all configs/postings.",
        about="The client's postings at all publishers, oldest first.",
        tag=_CONFIGS,
        work=_list_of_client,
        query=PAGED,
        answer=page_schema(wire.LISTED),
        sample_answer={"data": [room_samples.POSTING_ROW]},
    ),
    *job_routes.OPERATIONS,
]
