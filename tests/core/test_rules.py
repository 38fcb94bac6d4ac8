"""Rules: what each may be, and what holds where a site and a discussion say different things."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from tertulia.core.rules import (
    DEFAULT,
    NONE_OWN,
    RULES,
    OwnRules,
    WhoMayWrite,
    differences,
    own_rules,
    own_rules_of,
    site_rules_of,
)
from tertulia.protocol import RulesChange
from tertulia.protocol.views import RulesView


def test_each_rule_is_said_in_one_way_everywhere() -> None:
    assert list(asdict(DEFAULT)) == list(RULES)
    assert list(RulesView.model_fields) == list(RULES)
    assert list(RulesChange.model_fields) == list(RULES)
    schema = RulesChange.model_json_schema()["properties"]
    for rule in RULES.values():
        said = schema[rule.name]["anyOf"][0]
        if rule.choices is not None:
            assert said["enum"] == [*rule.choices], rule.name
        else:
            assert (said["minimum"], said["maximum"]) == (0 if rule.may_be_off else rule.least, rule.most), rule.name


@pytest.mark.parametrize("name", RULES)
def test_a_default_is_one_of_what_a_rule_may_be(name: str) -> None:
    value = getattr(DEFAULT, name)
    assert value is None or RULES[name].read(value) == value


GOOD: list[tuple[str, object]] = [
    ("who", "nobody"),
    ("first_n", 100),
    ("slow", 0),
    ("slow", 5),
    ("slow", 3_600),
    ("hide_after", 0),
    ("edit", 0),
]
BAD: list[tuple[str, object]] = [
    ("who", "Nobody"),
    ("who", 1),
    ("who", ["all"]),
    ("first_n", 0),
    ("first_n", 101),
    ("slow", 4),
    ("slow", 3_601),
    ("slow", -5),
    ("slow", True),
    ("slow", 30.0),
    ("slow", "30"),
    ("hide_after", -1),
    ("edit", 10_081),
    ("nudge", True),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_what_a_rule_may_be(name: str, value: object) -> None:
    assert RULES[name].read(value) == value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_what_no_rule_may_be(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} is "):
        RULES[name].read(value)
    with pytest.raises(ValueError, match=f"^{name} is "):
        NONE_OWN.changed({name: value})
    with pytest.raises(ValueError, match=f"^{name} is "):
        own_rules({name: value})


def test_a_discussion_says_only_what_is_not_as_its_site_says() -> None:
    site, own = NONE_OWN.changed({"who": "members"}), NONE_OWN.changed({"who": "nobody"})
    assert NONE_OWN.over(DEFAULT) is DEFAULT
    assert NONE_OWN.over(site.over(DEFAULT)).who is WhoMayWrite.members
    assert own.over(site.over(DEFAULT)).who is WhoMayWrite.nobody


def test_null_goes_by_the_site_again() -> None:
    own = NONE_OWN.changed({"who": "nobody"})
    assert own.stored() == {"who": "nobody"}
    assert own.changed({}) == own
    assert own.changed({"who": None}) == NONE_OWN
    assert NONE_OWN.stored() is None


def test_who_has_all_rules_leaves_nothing_to_the_site() -> None:
    everything = {rule.name: next(iter(rule.choices)) if rule.choices else rule.most for rule in RULES.values()}
    assert OwnRules(everything).is_complete
    assert not OwnRules({name: value for name, value in everything.items() if name != "who"}).is_complete


def test_what_a_later_version_stored_is_left_alone() -> None:
    assert own_rules_of('{"who": "members", "what": "everything"}') == OwnRules({"who": "members"})
    assert own_rules_of('{"what": "everything"}') == NONE_OWN
    assert own_rules_of(None) == own_rules_of("null") == NONE_OWN


def test_a_sites_rules_stand_among_its_settings() -> None:
    assert site_rules_of(json.dumps({"badges": {}, "rules": {"who": "members"}})) == OwnRules({"who": "members"})
    assert site_rules_of("{}") == site_rules_of(None) == site_rules_of("null") == NONE_OWN


def test_what_is_otherwise_is_told_with_what_was() -> None:
    own = OwnRules({"who": "members"})
    assert differences(NONE_OWN, own) == {"who": [None, "members"]}
    assert differences(own, NONE_OWN) == {"who": ["members", None]}
    assert differences(own, own) == {}
