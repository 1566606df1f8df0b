"""Logs: one JSON object per line on standard error. Nothing that opens a door is ever in one."""

import logging
import sys
from datetime import UTC, datetime
from types import TracebackType

import msgspec

_MOST_TEXT = 8_000
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "taskName"}


class JsonLines(logging.Formatter):
    """A record as JSON; what was given as ``extra`` stands beside the message."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage()[:_MOST_TEXT],
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-_MOST_TEXT:]
        return msgspec.json.encode(line, enc_hook=str).decode()


def log_json_lines(process: str) -> None:
    """Send every log of this process to standard error, and what it dies of as well."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines(process))
    logging.basicConfig(handlers=[lines], level=logging.INFO, force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)

    def last_words(
        kind: type[BaseException], died_of: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, died_of, trace)
            return
        logging.getLogger("handbill").critical(
            "the process dies of %s", kind.__name__, exc_info=(kind, died_of, trace)
        )

    sys.excepthook = last_words
