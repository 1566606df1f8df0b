"""Logs: one JSON object per line on standard error, without anything that grants access."""

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import msgspec

_log = logging.getLogger("handbill")
_MOST_TEXT = 8_000
_SECRETS = (
    (re.compile(r"\b(hb_[a-z0-9]{12}_)[A-Za-z0-9_-]+"), r"\1***"),  # our API keys
    # Tokens; only from the beginning of a word, or a line of them would be read over and over.
    (re.compile(r"(?<![\w-])(?=[\w-]*?eyJ)[\w-]+\.[\w-]+\.[\w-]*", re.ASCII), "***"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]+"), "***"),  # secrets of callbacks
    (re.compile(r"(?<=://)([^/@:\s\"]*):[^/@\s\"]*@"), r"\1:***@"),  # passwords in addresses
)
# JSON escapes characters below 0x20 itself; these it may leave as they are.
_OBEYED = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "taskName"}


class JsonLines(logging.Formatter):
    """A record as JSON; what was given as ``extra`` is beside the message."""

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
        return _safe_line(line)


def _safe_line(line: dict[str, Any]) -> str:
    """One line without a secret, and without characters that control a terminal."""
    try:
        text = msgspec.json.encode(line, enc_hook=str).decode()
    except UnicodeEncodeError:  # half a character, from outside
        text = json.dumps(line, default=str)
    for secret, shown in _SECRETS:
        text = secret.sub(shown, text)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def set_level(level: str) -> None:
    """Set the log level: debug, info, warning or error; security events are always logged."""
    logging.getLogger().setLevel(level.upper())
    logging.getLogger("handbill.security").setLevel(logging.INFO)


def log_json_lines(process: str) -> None:
    """Send all logs of this process to standard error, and whatever Python itself would print
    there: warnings, and exceptions that end the process or a thread or that nobody can catch.
    """
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines(process))
    logging.basicConfig(handlers=[lines], level=logging.INFO, force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _process_ends
    threading.excepthook = _thread_ends
    sys.unraisablehook = _nobody_catches


def _process_ends(
    kind: type[BaseException], died_of: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, died_of, trace)
        return
    _log.critical("the process ends because of %s", kind.__name__, exc_info=(kind, died_of, trace))


def _thread_ends(ended: threading.ExceptHookArgs) -> None:
    kind, died_of = ended.exc_type, ended.exc_value
    if kind is SystemExit or died_of is None:  # it ends as it is meant to; as Python has it
        return
    name = ended.thread.name if ended.thread is not None else ""
    exc_info = (kind, died_of, ended.exc_traceback)
    _log.critical("the thread %s ends because of %s", name, kind.__name__, exc_info=exc_info)


def _nobody_catches(raised: "sys.UnraisableHookArgs") -> None:
    kind, value = raised.exc_type, raised.exc_value
    exc_info = None if value is None else (kind, value, raised.exc_traceback)
    _log.error("%s was raised where nobody can catch it", kind.__name__, exc_info=exc_info)
