"""What needs somebody of an agency: the causes, and who is told which. Values only."""

from enum import StrEnum
from typing import Final, Literal

Kind = Literal["CLIENT", "CAMPAIGN", "JOBGROUP", "FEED", "PUBLISHER", "RULE", "CALLBACK"]


class Cause(StrEnum):
    """Why something needs somebody. The first four are states of standing."""

    CAPPED = "CAPPED"
    NO_BID = "NO_BID"
    NO_JOBS = "NO_JOBS"
    NO_PLACEMENT = "NO_PLACEMENT"
    IMPORT_FAILED = "IMPORT_FAILED"
    NOT_FETCHED = "NOT_FETCHED"
    NOT_DELIVERED = "NOT_DELIVERED"
    CALLBACK_FAILED = "CALLBACK_FAILED"
    RULE_PAUSED = "RULE_PAUSED"


STOPPED: Final = (Cause.CAPPED, Cause.NO_BID, Cause.NO_JOBS, Cause.NO_PLACEMENT)
FOR_EMPLOYERS: Final = frozenset((Cause.CAPPED, Cause.NO_JOBS, Cause.IMPORT_FAILED))
"""The causes that an employer is told: none tells of bids, or of the agency's publishers."""
