"""What owners and moderators see and do on their pages."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files

from tertulia.core.causes import CauseKind, Queue
from tertulia.core.comments import Mode, State
from tertulia.core.roles import Role
from tertulia.core.rules import RULES
from tertulia.core.words import Does
from tertulia.desk.desk import STALE
from tertulia.errors import ErrorCode
from tertulia.languages import every, language
from tertulia.staff.desk.bans import NETWORKS
from tertulia.staff.desk.cards import HOURS, REASONS
from tertulia.staff.desk.queues import OF_SCRIPT, Which
from tertulia.store import schema
from tertulia.store.actions import Verb
from tertulia.store.bans import BanEffect
from tertulia.store.commands import UNDOABLE, Act
from tests.api.app import bearer
from tests.staff.desk import Desk

NEWS = "/staff/sites/news"


async def test_an_owner_invites_somebody_who_signs_in_by_the_link_that_is_shown_once(desk: Desk) -> None:
    await desk.sign_in("Mai")
    answer = await desk.post(f"{NEWS}/people", "Mai", name="Nguyễn <b>Thu</b>", role="moderator")
    found = re.search(r">(https://news\.test/staff/sign-in\?link=tl_[^<]+)</textarea>", answer.text)
    assert found is not None
    assert "Nguyễn &lt;b&gt;Thu&lt;/b&gt;" in answer.text
    link = html.unescape(found[1])
    assert link not in (await desk.get(NEWS, "Mai")).text
    assert 'name="link"' in (await desk.client.get(link)).text
    signed_in = await desk.post("/staff/sign-in", link=link.partition("link=")[2])
    assert signed_in.status_code == 303


async def test_what_cannot_be_done_is_said_beside_the_form(desk: Desk) -> None:
    await desk.sign_in("Mai")
    author_id = (await desk.rows(schema.grant))[0]["author_id"]
    for path, form, status, said in (
        (f"{NEWS}/people", {"name": "", "role": "host"}, 422, ""),
        (f"{NEWS}/people", {"name": "Mаi", "role": "host"}, 409, "looks like that of somebody else"),
        (f"{NEWS}/people", {"name": "x" * 65, "role": "host"}, 422, "too long"),
        (f"{NEWS}/people/remove", {"person": author_id, "role": "owner"}, 422, "keeps its last owner"),
        (f"{NEWS}/people/remove", {"person": author_id, "role": "host"}, 404, "Page not found"),
        (f"{NEWS}/people/remove", {"person": "nobody", "role": "host"}, 404, "Page not found"),
        (f"{NEWS}/members/end", {"person": author_id}, 404, "Page not found"),
        (f"{NEWS}/tokens/add", {"name": "cms"}, 422, "at least one thing"),
        (f"{NEWS}/tokens/remove", {"name": "cms"}, 404, "Page not found"),
    ):
        before = await desk.everything()
        answer = await desk.post(path, "Mai", **form)
        assert (answer.status_code, said in html.unescape(answer.text)) == (status, True), (path, form)
        assert 'role="alert"' in answer.text
        assert await desk.everything() == before


async def test_a_person_of_other_sites_gets_the_role_and_no_link(desk: Desk) -> None:
    await desk.sign_in("Mai")
    await desk.sign_in("Thu", Role.owner, "magazine")
    answer = await desk.post(f"{NEWS}/people", "Mai", name="Thu", role="moderator")
    assert "signs in as before" in answer.text
    assert "tl_" not in answer.text
    assert "/staff/sites/news" in (await desk.get("/staff", "Thu")).text


async def test_members_are_listed_and_their_sessions_ended(desk: Desk) -> None:
    await desk.sign_in("Mai", Role.moderator)
    lan = await desk.member("Lan")
    await desk.member("Elsewhere", "magazine")
    page = (await desk.get(f"{NEWS}/members", "Mai")).text
    assert page.count("End all sessions</button>") == 1
    assert lan in page
    assert (await desk.post(f"{NEWS}/members/end", "Mai", person=lan)).headers["location"] == f"{NEWS}/members"
    assert (await desk.client.get("/api/v1/me", headers=bearer(desk.tokens["Lan"]))).status_code == 401
    assert "Nobody is signed in." in (await desk.get(f"{NEWS}/members", "Mai")).text


async def test_a_token_for_a_program_is_shown_once(desk: Desk) -> None:
    await desk.sign_in("Mai")
    made = await desk.post(f"{NEWS}/tokens/add", "Mai", name="cms", scope=["people", "read"])
    found = re.search(r">(tk_[\w-]{43})</textarea>", made.text)
    assert found is not None
    page = (await desk.get(f"{NEWS}/tokens", "Mai")).text
    assert (found[1] in page, "<code>people</code>" in page) == (False, True)
    assert found[1] not in repr(await desk.everything())
    again = await desk.post(f"{NEWS}/tokens/add", "Mai", name="cms", scope="read")
    assert (again.status_code, "has a token of this name" in again.text) == (422, True)
    assert (await desk.post(f"{NEWS}/tokens/remove", "Mai", name="cms")).status_code == 303
    assert await desk.rows(schema.site_token) == []


async def test_ways_in_are_listed_without_their_secrets(desk: Desk) -> None:
    await desk.sign_in("Mai")
    site = next(row["id"] for row in await desk.rows(schema.site) if row["key"] == "news")
    config = {"iss": "https://issuer.example", "alg": "HS256"}
    row = {"site_id": site, "name": "front-door", "kind": "jwt", "config": config, "sealed_secret": "sealed-marker"}
    await desk.run(schema.issuer.insert().values(**row))
    page = (await desk.get(f"{NEWS}/ways-in", "Mai")).text
    assert "front-door" in page
    assert "signed tokens" in page
    assert "https://issuer.example" in page
    assert "sealed-marker" not in page


async def test_the_log_tells_who_did_what_and_is_read_as_lines(desk: Desk) -> None:
    await desk.sign_in("Mai")
    await desk.post(f"{NEWS}/people", "Mai", name="Thu", role="host")
    await desk.post(f"{NEWS}/tokens/add", "Mai", name="cms", scope="read")
    await desk.sign_in("Everywhere", Role.owner, None)
    page = html.unescape(re.sub(r"<[^>]+>|\s+", " ", (await desk.get("/staff/log?site=news", "Mai")).text))
    wanted = (
        "Operator gave a role: Mai · Owner",
        "Mai gave a role: Thu · Host",
        "Mai made a token · cms",
        "Mai signed in",
    )
    assert [said for said in wanted if said not in re.sub(r"\s+", " ", page)] == []
    lines = await desk.get("/staff/log.jsonl?site=news", "Mai")
    told = [json.loads(line) for line in lines.text.splitlines()]
    assert lines.headers["content-type"].startswith("application/jsonl")
    assert {one["site"] for one in told} == {"news"}
    assert [one["id"] for one in told] == sorted((one["id"] for one in told), reverse=True)
    everything = (await desk.get("/staff/log.jsonl", "Everywhere")).text.splitlines()
    assert len(everything) == len(told) + 3
    for query, count in (("from=2999-01-01", 0), ("to=2000-01-01", 0), ("from=2000-01-01&to=2999-01-01", len(told))):
        assert len((await desk.get(f"/staff/log.jsonl?site=news&{query}", "Mai")).text.splitlines()) == count
    assert (await desk.get("/staff/log.jsonl?site=news&from=yesterday", "Mai")).status_code == 422
    assert (await desk.get("/staff/log?site=news&cursor=x", "Mai")).status_code == 400


async def test_no_value_of_an_address_or_a_form_is_a_fault(desk: Desk) -> None:
    await desk.sign_in("Mai", Role.owner, None)
    values = ("", "\0", "a\0b", "%", "\ud7ff", "-1", "9" * 40, "'; --", "a" * 3_000, "../../etc", "null", "\u202ex")
    for value in values:
        for name in ("site", "cursor", "from", "to", "link"):
            for path in ("/staff/log", "/staff/log.jsonl", f"{NEWS}/members", "/staff/sign-in"):
                answer = await desk.client.get(path, params={name: value}, headers=desk.headers("Mai"))
                assert answer.status_code < 500, (path, name, value)
        for name in ("name", "role", "person", "scope", "link", "token"):
            for path in ("people", "people/remove", "members/end", "tokens/add", "tokens/remove"):
                form = {"name": "Ba", "role": "host", "scope": "read"} | {name: value}
                answer = await desk.post(f"{NEWS}/{path}", "Mai", **form)
                assert answer.status_code < 500, (path, name, value)


def test_pages_say_what_the_catalogue_has_and_it_has_nothing_else() -> None:
    package = files("tertulia.staff")
    folders = (package, package / "desk", package / "templates")
    read = [file for folder in folders for file in folder.iterdir() if file.is_file() and "." in file.name]
    text = "\n".join(file.read_text("utf-8") for file in read)
    for group, made in (("staff", _made()), ("desk", _made_at_the_desk())):
        named = set(re.findall(rf'"({group}\.[a-z_.]+[a-z])"', text))
        assert named | made == set(language("en").groups[group])
        assert all(one.groups[group].keys() == named | made for one in every().values())


def _made() -> set[str]:
    """Keys that are put together when a page is made."""
    made = {f"staff.role.{role.value}" for role in Role} | {f"staff.did.{verb.value}" for verb in Verb}
    return made | {f"staff.kind.{kind}" for kind in ("jwt", "provider")}


def _made_at_the_desk() -> set[str]:
    made = {f"desk.{queue.value}" for queue in (*Queue, Which.all)} | {"desk.banned"}
    made |= {f"desk.reason.{reason}" for reason in REASONS} | {f"desk.hours.{hours}" for hours in HOURS}
    made |= {f"desk.do.{act.value}" for act in Act} | {f"desk.state.{state.value}" for state in State}
    made |= {f"desk.cause.{kind.value}" for kind in CauseKind} | {"desk.cause.word_in_name"}
    made |= {f"desk.done.{verb}" for verb in (*UNDOABLE, Verb.undo_decision, Verb.ban, Verb.lift_ban)}
    made |= {f"desk.effect.{effect.value}" for effect in BanEffect}
    made |= {f"desk.stale.{code.name}" for code in (*STALE, ErrorCode.not_found)}
    made |= {f"desk.reports.{state}" for state in ("open", "upheld", "dismissed")}
    made |= {f"desk.does.{does}" for does in Does}
    made |= {f"desk.{part}.{network}" for part in ("reach", "banned") for network in NETWORKS}
    made |= {f"desk.remove.{span}" for span in ("none", "day", "all")}
    made |= {f"desk.mode.{mode}" for mode in Mode}
    for rule in RULES.values():
        made |= {f"desk.rule.{rule.name}", f"desk.rule.{rule.name}.help"}
        made |= {f"desk.rule.{rule.name}.{choice}" for choice in rule.choices or ()}
    made |= {f"desk.kind.{kind}" for kind in ("guest", "member", "staff", "imported")}
    return made | {key for key in language("en").texts if key.startswith(OF_SCRIPT)}
