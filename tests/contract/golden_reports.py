"""The reference's samples of reports; of publisher partners, who have credentials of their own."""

from contract.golden import Golden
from contract.golden_samples import INSTANT, UUID

DAYS = {"startDate": "2026-11-01", "endDate": "11/17/2026"}
CALLBACK = "https:domain.com/report/reportId"
_UNDER_WAY = {"reportId": UUID, "status": "IN_PROGRESS", "createdOn": INSTANT, "expiresOn": INSTANT}

# Of 54 and 55 the reference shows an empty answer, of 56 and 60 none: contract 1.
GOLDEN = [
    Golden(
        51,
        "POST",
        "/stats/stream",
        {"groupBy": "CLIENT", "groupByPublisher": True, "callBackUrl": CALLBACK, "filterBy": DAYS},
        {"streamNumber": 1, "stats": list},
    ),
    Golden(
        54,
        "POST",
        "/reports/stats",
        {"groupBy": "CLIENT", "groupByPublisher": True, "callBackUrl": CALLBACK, "filterBy": DAYS},
        {"reportId": UUID, "success": True},
        keeps="report",
    ),
    Golden(
        55,
        "POST",
        "/reports/ip",
        {"callBackUrl": CALLBACK, "filterBy": DAYS},
        {"reportId": UUID, "success": True},
        keeps="ip",
    ),
    Golden(56, "GET", "/reports/{report}", None, _UNDER_WAY),
    Golden(56, "GET", "/reports/{ip}", None, _UNDER_WAY),
]
OF_PARTNERS = [
    Golden(
        59,
        "POST",
        "/publisher-families/{family}/reports",
        {
            "reportName": "string",
            "period": "THIS_MONTH",
            "clientId": "{client}",
            "publisherFamilyId": "{family}",
            "curLocale": "USD",
        },
        {"success": True, "reportId": UUID},
        keeps="report",
    ),
    Golden(60, "GET", "/publisher-families/{family}/reports/{report}", None, _UNDER_WAY),
]
