"""Addition to the contract: how the installation runs, for its operator."""

from typing import Final

from handbill.contract.health.models import HealthTold, health_told
from handbill.http.operations import Call, Operation
from handbill.keeping.health import health_of


def _health(call: Call) -> HealthTold:
    return health_told(health_of(call.tx, call.settings, call.desk.schedule, call.now))


_NOON: Final = "2019-11-29T12:00:00.000Z"
OPERATIONS: Final = [
    Operation(
        name="get_health",
        verb="GET",
        path="/health",
        title="Get how the installation runs.",
        about="Processes of this host with their last sign of life, how far events are judged, "
        "work in the background, disk, revision of the records and last backup, each with a "
        "verdict and what to do. Only for an OPERATOR. For load balancers there are /livez and "
        "/readyz, for monitoring /metrics; `handbill doctor` looks deeper.",
        work=_health,
        role="person",
        open_to="operator",
        lane="slow",
        answer=HealthTold,
        sample_answer={
            "ok": False,
            "version": "0.2.0",
            "evaluatedAt": _NOON,
            "checks": [
                {
                    "name": "backup",
                    "ok": False,
                    "description": "No backup has been made from this data folder. Use `handbill "
                    "backup DEST --verify`, every day.",
                }
            ],
            "processes": [
                {"name": "judge-0", "version": "0.2.0", "silentSeconds": 0, "lastSeenOn": _NOON}
            ],
            "judge": {
                "lagSeconds": 0,
                "oldestOn": None,
                "unjudgedBytes": 0,
                "damaged": [],
                "clientsSetAside": 0,
            },
            "queue": {"due": 0, "oldestDueOn": None, "running": 1, "failed": 0, "failing": []},
            "disk": {
                "freeBytes": 80_000_000_000,
                "totalBytes": 100_000_000_000,
                "dataBytes": 1_250_000_000,
            },
            "records": {"revision": "0042", "needed": "0042"},
            "backup": None,
        },
    ),
]
