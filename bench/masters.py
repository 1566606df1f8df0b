"""The master key of what is measured."""

from handbill.host.masters import Masters
from handbill.host.settings import Settings

MASTERS = Masters(Settings(secrets_key="bWFzdGVyIGtleSBvZiB0ZXN0cywgMzIgYnl0ZXMgLi4="))
