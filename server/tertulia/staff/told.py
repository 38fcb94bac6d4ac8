"""What a row of the log says besides who, what and whom: roles, rules, reasons and times in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tertulia.core.rules import RULES
from tertulia.languages import Language
from tertulia.store.actions import Recorded, Verb

_AS_THEY_ARE = ("token", "name", "badge", "who", "ended", "via")
_HIDDEN_BY = {"reports": "desk.cause.reports", "words": "desk.hidden.words"}
_OFF = {"slow": "desk.rule.off", "hide_after": "desk.rule.never"}


def details(one: Recorded, language: Language, zone: str) -> list[str]:
    return [part for part in _details(one, language, zone) if part]


def _details(one: Recorded, language: Language, zone: str) -> Iterator[str]:
    data, t = one.data, language.translate
    if "role" in data:
        yield t(f"staff.role.{data['role']}")
    if "mode" in data:
        mode = t(f"desk.mode.{data['mode'][1]}")
        yield f"{t('desk.mode')}: {mode}"
    if "closes_at" in data:
        at = data["closes_at"][1]
        yield f"{t('desk.closes_at')}: {_moment(at, language, zone) if at else t('desk.rule.never')}"
    for name, (_, after) in data.get("rules", {}).items():
        told = t(f"desk.rule.{name}")
        yield f"{told}: {rule_word(name, after, language)}"
    if one.verb == Verb.ban:
        yield t(f"desk.effect.{data['effect']}")
        until = data.get("until")
        ends = datetime.fromtimestamp(until / 1000, UTC).isoformat() if until else None
        yield t("desk.until", at=_moment(ends, language, zone)) if ends else t("desk.hours.none")
    if one.verb == Verb.undo_decision and f"staff.did.{data.get('verb')}" in language.texts:
        yield t(f"staff.did.{data['verb']}")
    yield _words(data, language)
    yield reason_word(one.reason, language)
    yield next((str(data[name]) for name in _AS_THEY_ARE if data.get(name)), "")


def rule_word(name: str, value: object, language: Language) -> str:
    """What a rule is set to; None is what holds otherwise."""
    if value is None:
        return language.translate("desk.rule.server" if name == "edit" else "desk.rule.otherwise")
    if name in RULES and RULES[name].choices is not None:
        return language.translate(f"desk.rule.{name}.{value}")
    if value == 0 and name in _OFF:
        return language.translate(_OFF[name])
    return language.numbers.write(value) if isinstance(value, int) else str(value)


def reason_word(reason: str, language: Language) -> str:
    """A reason as it is chosen, or why the server itself acted."""
    key = _HIDDEN_BY.get(reason, f"desk.reason.{reason}")
    return language.translate(key) if key in language.texts else reason


def _words(data: Mapping[str, Any], language: Language) -> str:
    named, count = data.get("words", []), data.get("count", 0)
    more = f" … ({language.numbers.write(count)})" if count > len(named) else ""
    return ", ".join(named) + more


def _moment(at: str, language: Language, zone: str) -> str:
    return language.dates.write_short(datetime.fromisoformat(at).astimezone(ZoneInfo(zone)))
