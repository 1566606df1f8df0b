"""Rates: an addition to the contract (section 1), with the manners of the rest."""

from typing import Any

from handbill.contract.envelopes import Done, done
from handbill.contract.rates.models import RATES, RatePage, shown_rate
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.rates import service

_PATH = "/rates"
_BOOKED = "Links and booked entries keep the rates that they were made at."


def _put(call: Call) -> Done:
    every = [one.noun() for one in call.body.items]
    service.put(call.tx, call.now, call.caller.agency_no, every)
    return done("Rates set")


def _list(call: Call) -> Answer:
    skip, limit = skip_and_limit(call)
    rates, total = service.page(call.tx, call.caller.agency_no, skip, limit)
    return with_links(call, RatePage.of(rows=[shown_rate(*one) for one in rates]), total)


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
        about="Sets rates from a day on: one object, or an array of at most 1,000. An existing "
        "rate of the same pair and day is replaced. On each day, in the client's zone, the "
        "agency's rate of that day applies, or its latest of the seven days before; if it has "
        "none, the operator's. Inverse rates, and rates through a third currency, are derived. A "
        f"job without a rate that it needs is not listed (NO_RATE). {_BOOKED}",
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
        about="Deletes a rate of the agency. An earlier one, or the operator's, applies instead. "
        f"{_BOOKED}",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Rate deleted"},
    ),
]
