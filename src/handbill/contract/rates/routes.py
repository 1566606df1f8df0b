"""Rates: an addition to the contract (section 1), with the manners of the rest."""

from typing import Any

from handbill.contract.envelopes import Done, done
from handbill.contract.rates.models import RATES, RatePage, told
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.rates import service

_TAG = "Rates"
_PATH = "/rates"
_BOOKED = "Links and booked entries keep the rates that they were made at."


def _put(call: Call) -> Done:
    every = [one.noun() for one in call.body.items]
    service.put(call.tx, call.now, call.caller.agency_no, every)
    return done("Rates set")


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    found, total = service.page(call.tx, call.caller.agency_no, skip, limit)
    return with_links(call, RatePage.of(rows=[told(*one) for one in found]), total)


def _delete(call: Call) -> Done:
    service.delete(call.tx, call.now, call.caller.agency_no, call.path["rate_id"])
    return done("Rate deleted")


_SAMPLE: dict[str, Any] = {"date": "10/28/2026", "from": "EUR", "to": "USD", "rate": 1.0825}
OPERATIONS = [
    Operation(
        name="set_rates",
        verb="POST",
        path=_PATH,
        title="Set rates of exchange.",
        about="Sets what one unit of a currency is in another one from a day on: one object, or an "
        "array of at most 1,000. A rate that is there for the pair and day is replaced. Each day, "
        "in the client's zone, the agency's own rate of that day counts, or its last of the seven "
        "days before; if it has none, the operator's. A pair is also read the other way round, and "
        "through a third currency in which both are quoted. If there is no rate at all, what needs "
        f"it is not listed (NO_RATE). {_BOOKED}",
        tag=_TAG,
        work=_put,
        body=RATES,
        many=True,
        answer=Done,
        sample=_SAMPLE,
        sample_answer={"result": True, "message": "Rates set"},
    ),
    Operation(
        name="list_rates",
        verb="GET",
        path=_PATH,
        title="Get all rates of exchange.",
        about="The agency's own rates and the operator's, the latest day first.",
        tag=_TAG,
        work=_list,
        query=PAGED,
        answer=RatePage,
        sample_answer={
            "data": [
                {
                    **_SAMPLE,
                    "id": "2026-10-28-EUR-USD",
                    "own": True,
                    "lastUpdated": "2026-10-28T09:30:00.000Z",
                }
            ]
        },
    ),
    Operation(
        name="delete_rate",
        verb="DELETE",
        path=f"{_PATH}/{{rate_id}}",
        title="Delete a rate of exchange.",
        about="Deletes a rate of the agency's own: an earlier one, or the operator's, takes its "
        f"place. {_BOOKED}",
        tag=_TAG,
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Rate deleted"},
    ),
]
