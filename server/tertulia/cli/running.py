"""From a coroutine to a command: failures an operator can do something about become one line and exit code 1."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, Literal, ParamSpec

import click

from tertulia import logs, settings
from tertulia.errors import Problem, StartupError
from tertulia.reporting import Reporter
from tertulia.settings import PREFIX

P = ParamSpec("P")


def coroutine(function: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A command's function that runs this coroutine function."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            asyncio.run(function(*args, **kwargs))
        except Exception as error:
            sentence = _sentence(error)
            if sentence is None:
                raise
            print_line(_log_format(kwargs), "error", sentence)
            raise SystemExit(1) from error

    return run


def reporter_of(flags: Mapping[str, Any]) -> Reporter:
    """Reports to standard error, in the format of the log."""
    return Reporter(sys.stderr, is_json=settings.load(**flags).log_format == "json")


def print_line(form: logs.Format, level: Literal["warning", "error"], message: str) -> None:
    """One line on standard error."""
    if form == "json":
        logs.say(form, level, message, sys.stderr)
    else:
        click.echo(f"{'tertulia: ' if level == 'error' else ''}{logs.printable(message)}", err=True)


def _sentence(error: Exception) -> str | None:
    """What to print for a failure; None for a mistake of ours, whose traceback is needed."""
    if isinstance(error, Problem):
        return error.detail
    if isinstance(error, StartupError):
        return str(error)
    if isinstance(error, OSError):
        return None if error.filename is None else f"Cannot use {os.fsdecode(error.filename)}: {error.strerror}"
    return _database_sentence(error)


def _database_sentence(error: Exception) -> str | None:
    from sqlalchemy.exc import SQLAlchemyError  # most commands that fail never opened a database

    from tertulia.store.failures import classify, driver_errors, line

    if not isinstance(error, driver_errors(SQLAlchemyError)):
        return None
    met = classify(error)
    return None if met.fate == "ours" else f"The database failed: {line(error)}; {met.advice}"


def _log_format(flags: Mapping[str, Any]) -> logs.Format:
    """The log format that was asked for, even if the settings could not be read."""
    asked = flags.get("log_format") or os.environ.get(f"{PREFIX}LOG_FORMAT")
    return "json" if asked == "json" else "text"
