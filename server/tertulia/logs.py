"""Log lines: one event, one line, control characters escaped; never a token, a text or a full address.

An outage lasts, and code meets it many times a second: Sparing logs it once a minute. Traces, which show our own bugs,
and lines of libraries are written at most once a minute for each place that they come from.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

Format = Literal["text", "json"]

SPARED_SECONDS = 60.0
"""Between two lines of one cause: an outage of a night stays below 500 lines, and its end is seen within a minute."""
MAX_CAUSES = 256
"""Causes that are remembered; there are fewer in the code, and with more the oldest would be logged again too soon."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_PLAIN = re.compile(r"[^\s\"'=\\]+")
_VALUES = re.compile(r"(argument \$\d+|\bsyntax for type [\w ]+|out of range[\w ]*): .*")

log = logging.getLogger(__name__)


class Sparing:
    """Logs a message at most once in SPARED_SECONDS for each cause, with the number of lines that were left out.

    Where strangers make up the causes, ``most`` bounds the lines of all causes together in that time.
    """

    def __init__(
        self, log: logging.Logger, clock: Callable[[], float] = time.monotonic, *, most: int | None = None
    ) -> None:
        self._log = log
        self._rests = _Rests(clock, most)

    def warning(self, message: str, cause: Hashable, **fields: object) -> None:
        self._say(logging.WARNING, message, cause, fields)

    def error(self, message: str, cause: Hashable, **fields: object) -> None:
        self._say(logging.ERROR, message, cause, fields)

    def _say(self, level: int, message: str, cause: Hashable, fields: dict[str, object]) -> None:
        unsaid = self._rests.over(cause)
        if unsaid is not None:
            self._log.log(level, message, extra=fields | ({"unsaid": unsaid} if unsaid else {}))


class _Rests:
    """When each cause was logged last, and how often it was left out since."""

    def __init__(self, clock: Callable[[], float], most: int | None = None) -> None:
        self._clock = clock
        self._most = most
        self._said: dict[Hashable, float] = {}
        self._unsaid: dict[Hashable, int] = {}

    def over(self, cause: Hashable) -> int | None:
        """How many lines were left out, if one may be written now; otherwise None, and one more is counted."""
        now = self._clock()
        said = self._said.get(cause)
        if said is not None and now - said < SPARED_SECONDS:
            self._unsaid[cause] = self._unsaid.get(cause, 0) + 1
            return None
        if self._most is not None and self._recent(now) >= self._most:
            return None
        self._said.pop(cause, None)
        self._said[cause] = now
        if len(self._said) > MAX_CAUSES:
            oldest = next(iter(self._said))
            del self._said[oldest]
            self._unsaid.pop(oldest, None)
        return self._unsaid.pop(cause, 0)

    def _recent(self, now: float) -> int:
        return sum(now - said < SPARED_SECONDS for said in self._said.values())


def configure(format_: Format, level: str, *, worker: int | None = None) -> None:
    """Sends every logger's lines to standard error in the form asked for; those of one of several workers say which.

    ``level`` is that of our own loggers. Below a warning libraries say what people wrote, with their tokens and keys:
    the parameters of statements, the texts of frames, the query strings of connections.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Bounded())
    if worker is not None:
        handler.addFilter(_Numbered(worker))
    handler.setFormatter(_FORMATTERS[format_]())
    ours = getattr(logging, level.upper())
    logging.basicConfig(level=max(ours, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("tertulia").setLevel(ours)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.captureWarnings(True)
    sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, Exception):
        log.critical("The program failed", exc_info=(kind, error, trace))
    else:
        sys.__excepthook__(kind, error, trace)


def say(
    format_: Format, level: Literal["info", "warning", "error"], message: str, stream: TextIO, **fields: Any
) -> None:
    """Writes a line whatever the log level, such as the server's address, in the format of the log."""
    record = logging.LogRecord("tertulia", getattr(logging, level.upper()), "", 0, message, None, None)
    vars(record).update(fields)
    print(_FORMATTERS[format_]().format(record), file=stream, flush=True)


class _Numbered(logging.Filter):
    def __init__(self, worker: int) -> None:
        super().__init__()
        self._worker = worker

    def filter(self, record: logging.LogRecord) -> bool:
        record.worker = self._worker
        return True


class _Bounded(logging.Filter):
    """Lets a trace of one place, and a line of a library, pass once in SPARED_SECONDS.

    Libraries warn of what any client can send, as often as it does. The pool of connections tells without its trace.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._rests = _Rests(clock)

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None and record.name.partition(".")[0] == "tertulia":
            return True
        # asyncio names what failed in the message itself, each time another: with a trace the place says enough
        said = str(record.msg) if error is None else None
        unsaid = self._rests.over((record.name, said, type(error), error and _innermost_line(error)))
        if unsaid is None:
            return False
        if unsaid:
            record.unsaid = unsaid
        if error is not None and record.name.startswith("sqlalchemy"):
            # a connection that was lost cannot be given back, which is no mistake of ours
            record.exc_info = None
            record.reason = _message(error)
        return True


def _innermost_line(error: BaseException) -> tuple[str, int] | None:
    """The innermost line of the code."""
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        line = (frame.f_code.co_filename, number)
    return line


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in _fields(record).items() if name not in _TAKEN},
        }
        if record.exc_info:
            line["exception"] = "\n".join(_trace(record.exc_info[1]))
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """The time first, in UTC (RFC 3339).

    Values with blanks, quotes or equals signs are quoted as in JSON: no value can look like another field.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={_written(value)}" for name, value in _fields(record).items())
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        head = f"{at}.{int(record.msecs):03}Z {record.levelname.lower():7}"
        text = f"{head} {printable(record.getMessage())}{fields}"
        trace = _trace(record.exc_info[1]) if record.exc_info else []
        return "\n  ".join((text, *(printable(line) for line in trace)))


_FORMATTERS: dict[Format, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}
_TAKEN = {"at", "level", "logger", "exception"}


def _written(value: object) -> str:
    text = printable(str(value))
    return text if _PLAIN.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def printable(text: str) -> str:
    """The text with escapes for what a terminal would act on: control characters, and those that turn its direction."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _trace(error: BaseException | None) -> list[str]:
    """The lines of the trace, what an exception was made of first; of a database's exception no values."""
    if error is None:
        return []
    chain = [error]
    while (before := _before(chain[-1])) is not None and before not in chain:
        chain.append(before)
    lines: list[str] = []
    for one in reversed(chain):
        lines.append("Traceback (most recent call last):")
        lines += "".join(traceback.format_tb(one.__traceback__)).splitlines()
        lines.append(f"{type(one).__module__}.{type(one).__qualname__}: {_message(one)}".removeprefix("builtins."))
        if isinstance(one, BaseExceptionGroup):
            lines += [f"  {line}" for inner in one.exceptions for line in _trace(inner)]
    return lines


def _before(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def _message(error: BaseException) -> str:
    """What it says. A database repeats what people wrote: of its exceptions only the first line, without values."""
    is_of_database = any(hasattr(error, name) for name in ("sqlstate", "sqlite_errorcode", "orig"))
    if not is_of_database:
        return str(error)
    first = str(error).splitlines() or [""]
    return _VALUES.sub(r"\1: …", first[0])
