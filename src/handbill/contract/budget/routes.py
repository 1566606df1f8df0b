"""An addition to the contract: how a client's caps stand, in one answer."""

from typing import Any, Final

from handbill.contract.budget.models import ClientBudget, budget_told
from handbill.control.budgets import budget_of
from handbill.http.operations import Call, Operation


def _get(call: Call) -> ClientBudget:
    return budget_told(budget_of(call.tx, call.client, call.now, call.settings.ceiling_ppm))


CAP: Final[dict[str, Any]] = {
    "cap": "budget",
    "period": "Monthly",
    "startDate": "11/01/2019",
    "endDate": "11/30/2019",
    "value": 900,
    "used": 610.5,
    "usedToday": 14.5,
    "share": 101.2,
    "ceiling": 121.44,
    "inFlight": 6.25,
    "delivery": "PACED",
    "pace": 98.7,
    "forecastEnd": {"value": 893.1, "low": 871.4, "high": 900},
    "timeInBudget": 100,
    "missedClicks": {"bidLowered": 412, "listingLowered": 0},
    "unbilled": {
        "count": 3,
        "value": 1.5,
        "publishers": [
            {
                "id": "TestExp1",
                "name": "Test Exp 1",
                "count": 3,
                "value": 1.5,
                "refreshMinutes": 240,
            }
        ],
    },
    "unspentBecause": [],
}
_STATE: Final = {"status": "ACTIVE", "description": "trades", "delivery": "PACED"}
_SAMPLE: Final[dict[str, Any]] = {
    "id": "40194b3f-7b49-41e8-b235-4d93a50330f3",
    "name": "jobgroup-saving",
    "resolvedStatus": _STATE,
    "caps": [CAP],
    "currency": "USD",
    "date": "11/22/2019",
    "evaluatedAt": "2019-11-22T10:00:00.000Z",
    "campaigns": [
        {
            "id": "8f3142dc-d7b1-4b21-86e5-b151ae862664",
            "name": "test-campaign-api-1",
            "resolvedStatus": _STATE,
            "caps": [],
            "jobGroups": [
                {
                    "id": "df8285cd-2ab4-44ab-8861-9ff3be0c4970",
                    "name": "test-jobgroup-200",
                    "resolvedStatus": _STATE,
                    "caps": [],
                }
            ],
        }
    ],
}
OPERATIONS: Final = [
    Operation(
        name="get_budget",
        verb="GET",
        path="/clients/{client_id}/budget",
        title="Get the budget of a client.",
        about="The state of every cap of a client, its campaigns and job groups: spend so far, "
        "today's target, spend expected of the feeds that publishers have, pace, a forecast with "
        "its range, missed and unbilled clicks, and why some of a cap will not be used. Caps of "
        "single jobs are not included; resolved-status says how many jobs of a job group they "
        "stop.",
        work=_get,
        lane="slow",
        answer=ClientBudget,
        sample_answer=_SAMPLE,
    )
]
