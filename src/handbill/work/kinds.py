"""The kinds of tasks, each in the words of the room that runs it: who asks for one names it here.

A name stands in the rows of the queue, so it is never used again for another kind.
"""

from typing import Final

SWEEP_ACCESS: Final = "access.sweep"
TELL_EVENT: Final = "access.tell_event"
SWEEP_CHANGES: Final = "changes.sweep"
SEND_CALLBACK: Final = "callbacks.send"
SWEEP_CALLBACKS: Final = "callbacks.sweep"
READ_LIST: Final = "definitions.read_list"
IMPORT: Final = "feeds.import"
HURRY: Final = "feeds.hurry"
SETTLE: Final = "funnel.settle"
SETTLE_LATEST: Final = "funnel.latest"
REMATCH: Final = "groups.rematch"
LOOK_AT_DAYS: Final = "groups.days"
CONTROL: Final = "control.look"
FOLLOW: Final = "control.follow"
LOOK_AT_CLIENTS: Final = "control.clients"
SWEEP_CONTROL: Final = "control.sweep"
COMPACT: Final = "ledger.compact"
SWEEP_LEDGER: Final = "ledger.sweep"
PUBLISH: Final = "listings.publish"
ASSEMBLE: Final = "listings.assemble"
DELIVER: Final = "listings.deliver"
LOOK_NEARBY: Final = "listings.nearby"
LOOK_AT_COPIES: Final = "listings.copies"
REFILL: Final = "listings.refill"
TURN: Final = "postings.turn"
REPORT: Final = "stats.report"
SWEEP_REPORTS: Final = "stats.sweep"
