"""The master key of what is measured."""

from handbill.host.masters import Masters
from handbill.host.settings import Settings

MASTER_KEY = "bWFzdGVyIGtleSBvZiB0ZXN0cywgMzIgYnl0ZXMgLi4="
MASTERS = Masters(Settings(secrets_key=MASTER_KEY))
