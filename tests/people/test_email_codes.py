"""Signing in by a code that is sent by mail: against a real SMTP server, on both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from tertulia.app import running
from tertulia.checks import check
from tertulia.errors import StartupError
from tertulia.identity import derived_key, utc_now
from tertulia.identity.sealing import Sealing
from tertulia.people import Claim
from tertulia.people.mailboxes import Mailboxes, normal_email
from tertulia.protocol import API, NewSession
from tertulia.settings import Settings, secret_key
from tertulia.store import challenges, schema
from tertulia.store.administration import AddSite
from tertulia.store.challenges import CODE_SECONDS, CODES_A_DAY, TRIES_A_DAY, SweepChallenges
from tertulia.work import Workers
from tertulia.work.workers import WorkTuning
from tests.people.test_sessions import Instance, code
from tests.support.smtp import MailServer, mail_server
from tests.support.unlimited import unlimited
from tests.support.waiting import PATIENCE, until

WORK = "email-codes"
LAN = "lan@example.com"


@dataclass
class MailInstance(Instance):
    """A server that sends mail, and where it sends it."""

    smtp: MailServer

    async def ask_code(self, email: str = LAN, **more: Any) -> httpx.Response:
        return await self.client.post(f"{API}/codes", json={"email": email, **more})

    async def challenge(self, email: str = LAN, **more: Any) -> tuple[str, str]:
        """The id, and the code that came by mail."""
        before = len(self.smtp.mail)
        answer = await self.ask_code(email, **more)
        assert answer.status_code == 202, answer.text
        return answer.json()["challenge"], sent_code(await self.smtp.received(before + 1))

    async def enter(self, challenge: str, given: str, **more: Any) -> httpx.Response:
        body = {"grant": "email", "challenge": challenge, "code": given, **more}
        return await self.client.post(f"{API}/sessions", json=body)

    async def signed_in(self, email: str = LAN, **more: Any) -> dict[str, Any]:
        answer = await self.enter(*await self.challenge(email), **more)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def back_by(self, span: timedelta) -> None:
        """As if all that is there had been asked for so much earlier."""
        milliseconds = span // timedelta(milliseconds=1)
        c = schema.challenge.c
        await self.do(update(schema.challenge).values(at=c.at - milliseconds, expires_at=c.expires_at - milliseconds))


def sent_code(mail: list[Any]) -> str:
    found = re.match(r"\d{6}", mail[-1]["Subject"])
    assert found is not None
    return found[0]


def sent(one: MailInstance, count: int) -> bool:
    return one.server.workers.stats.done[challenges.EMAIL_CODES] == count


def wrong(given: str) -> str:
    return f"{(int(given) + 1) % 1_000_000:06}"


async def vouched(new: NewSession, _origin: str | None) -> Claim:
    """``SUBJECT/NAME/ADDRESS``, as if a provider had said so."""
    subject, name, address = (new.token or "").split("/")
    assert MAILBOXES is not None
    return Claim("https://id.example", subject, name, "test", mailbox=MAILBOXES.vouched(address or None))


MAILBOXES: Mailboxes | None = None


def settings(folder: Path, database: str, smtp: MailServer, **more: Any) -> Settings:
    given = {"smtp_url": smtp.url, "mail_from": "The News <comments@news.example>", "work": WORK} | more
    return unlimited(folder, database_url=database, site_name="The News", **given)


@asynccontextmanager
async def mailing(database: str, folder: Path, smtp: MailServer, **more: Any) -> AsyncIterator[MailInstance]:
    async with running(settings(folder, database, smtp, **more)) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test", timeout=PATIENCE) as client:
            yield MailInstance(server, client, smtp)


@pytest.fixture
async def smtp() -> AsyncIterator[MailServer]:
    async with mail_server() as found:
        yield found


@pytest.fixture
async def one(database: str, tmp_path: Path, smtp: MailServer) -> AsyncIterator[MailInstance]:
    async with mailing(database, tmp_path / "one", smtp) as found:
        yield found


# ---- the way in -----------------------------------------------------------------------------------------


async def test_a_code_by_mail_signs_in_and_the_same_address_is_the_same_person(one: MailInstance) -> None:
    first = await one.signed_in(name="Lan")
    assert (first["viewer"]["name"], first["viewer"]["kind"]) == ("Lan", "member")
    assert (await one.say(first["token"])).json()["comment"]["author"]["name"] == "Lan"
    again = await one.signed_in(" LAN@Example.COM ")
    assert again["viewer"]["id"] == first["viewer"]["id"]
    assert again["viewer"]["name"] == "Lan", "who is known need not say the name again"
    renamed = await one.signed_in(name="Lan N.")
    assert (renamed["viewer"]["id"], renamed["viewer"]["name"]) == (first["viewer"]["id"], "Lan N.")
    assert (await one.signed_in("other@example.com", name="Minh"))["viewer"]["id"] != first["viewer"]["id"]
    assert await check(one.server.store) == []


async def test_the_mail_has_the_code_and_no_link(one: MailInstance) -> None:
    challenge, sent = await one.challenge()
    [mail] = one.smtp.mail
    assert (mail["From"], mail["To"]) == ("The News <comments@news.example>", LAN)
    assert mail["Message-ID"] == f"<{challenge}@news.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == f"{sent} is your code for The News"
    text = mail.get_content()
    assert sent in text
    assert "The News" in text
    assert "10 minutes" in text
    assert "http" not in text.lower()


async def test_a_code_goes_out_at_once(
    database: str, tmp_path: Path, smtp: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers look for nothing by themselves here: they are woken."""
    monkeypatch.setattr("tertulia.app.Workers", partial(Workers, tuning=WorkTuning(look=100_000, pause=0.001)))
    async with mailing(database, tmp_path / "one", smtp) as one:
        for number in range(1, 6):
            await one.challenge(f"{number}@example.com")
            await until(partial(sent, one, number), "the task to end")


@pytest.mark.parametrize(("lang", "said"), [("vi", "mã đăng nhập"), ("vi-VN", "mã đăng nhập"), ("xx", "is your code")])
async def test_the_mail_is_in_the_language_of_whoever_asks(one: MailInstance, lang: str, said: str) -> None:
    await one.challenge(lang=lang)
    assert said in one.smtp.mail[0]["Subject"]


async def test_whoever_is_new_says_a_name_and_the_code_waits_for_it(one: MailInstance) -> None:
    challenge, sent = await one.challenge()
    assert code(await one.enter(challenge, sent)) == (409, "name_needed")
    assert code(await one.enter(challenge, sent, name="Moderator")) == (409, "name_taken")
    assert (await one.enter(challenge, f" {sent[:3]} {sent[3:]} ", name="Lan")).status_code == 201


async def test_a_name_that_is_said_later_makes_no_second_right_code(one: MailInstance) -> None:
    challenge, sent = await one.challenge()
    for _ in range(2):
        assert code(await one.enter(challenge, sent)) == (409, "name_needed")
    assert code(await one.enter(challenge, wrong(sent))) == (401, "bad_code")
    assert (await one.enter(challenge, sent, name="Lan")).status_code == 201
    text = (await one.client.get("/metrics")).text
    said = dict(re.findall(r'tertulia_email_codes_total\{outcome="(\w+)"\} (\d+)', text))
    assert (said["right"], said["wrong"]) == ("1", "1")


async def test_a_name_that_one_chooses_is_no_other_members(one: MailInstance) -> None:
    await one.signed_in(name="Lan Nguyễn")
    challenge, sent = await one.challenge("other@example.com")
    for name in ("Lan Nguyễn", "lan nguyen"):
        refused = await one.enter(challenge, sent, name=name)
        assert code(refused) == (409, "name_taken")
        assert "choose another" in refused.json()["detail"]
    assert (await one.enter(challenge, sent, name="Lan Anh")).status_code == 201, "the code is still good"
    assert (await one.signed_in(name="Lan Nguyễn"))["viewer"]["name"] == "Lan Nguyễn", "one's own is free"


async def test_a_guest_takes_along_what_was_said(one: MailInstance) -> None:
    said = await one.say(None, author={"name": "Lan"})
    guest = said.json()["comment"]["author"]["id"]
    member = await one.signed_in(name="Lan", guest=said.json()["token"])
    assert member["viewer"]["also"] == [guest]


# ---- guessing -------------------------------------------------------------------------------------------


async def test_a_code_is_good_once(one: MailInstance) -> None:
    challenge, sent = await one.challenge()
    assert (await one.enter(challenge, sent, name="Lan")).status_code == 201
    assert code(await one.enter(challenge, sent, name="Lan")) == (410, "spent")
    assert len(await one.rows(schema.session)) == 1


async def test_the_sixth_guess_is_spent_even_if_it_is_right(one: MailInstance) -> None:
    challenge, sent = await one.challenge()
    for left in (4, 3, 2, 1, 0):
        answer = await one.enter(challenge, wrong(sent), name="Lan")
        assert code(answer) == (401, "bad_code")
        assert answer.json()["left"] == left
    assert code(await one.enter(challenge, sent, name="Lan")) == (410, "spent")
    assert await one.rows(schema.session) == []


async def test_an_address_is_guessed_at_so_often_a_day_whatever_the_code(one: MailInstance) -> None:
    for _ in range(TRIES_A_DAY // 5):
        challenge, sent = await one.challenge()
        for _ in range(5):
            assert code(await one.enter(challenge, wrong(sent))) == (401, "bad_code")
        await one.back_by(timedelta(hours=1))
    refused = await one.ask_code()
    assert code(refused) == (429, "rate_limited"), "no mail is sent with a code that nobody could use"
    assert int(refused.headers["retry-after"]) > 3600
    await one.back_by(timedelta(days=1))
    assert (await one.signed_in(name="Lan"))["viewer"]["name"] == "Lan"


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "12345a", "½", "١٢٣"])
async def test_what_is_no_code_is_no_guess(one: MailInstance, given: str) -> None:
    challenge, sent = await one.challenge()
    for _ in range(6):
        assert code(await one.enter(challenge, given)) == (422, "invalid")
    assert (await one.enter(challenge, sent, name="Lan")).status_code == 201


@pytest.mark.parametrize(
    "written",
    [
        lambda sent: f" {sent[:3]}-{sent[3:]} ",
        lambda sent: "".join(chr(0xFF10 + int(digit)) for digit in sent),
        lambda sent: "".join(chr(0x660 + int(digit)) for digit in sent),
    ],
    ids=["set apart", "wide", "Arabic"],
)
async def test_a_code_is_the_same_however_its_digits_are_written(
    one: MailInstance, written: Callable[[str], str]
) -> None:
    challenge, sent = await one.challenge()
    assert (await one.enter(challenge, written(sent), name="Lan")).status_code == 201


async def test_another_sites_or_a_forged_challenge_is_spent(one: MailInstance) -> None:
    await one.server.store.write(AddSite("second", [], utc_now()))
    challenge, sent = await one.challenge()
    for other in (challenge[:-1] + ("0" if challenge[-1] != "0" else "1"), "", "x" * 64, "é"):
        assert code(await one.enter(other, sent, name="Lan")) == (410, "spent")
    assert code(await one.enter(challenge, sent, name="Lan", site="second")) == (410, "spent")
    assert (await one.enter(challenge, sent, name="Lan")).status_code == 201


async def test_a_code_is_over_after_ten_minutes(one: MailInstance) -> None:
    challenge, sent = await one.challenge()
    await one.back_by(timedelta(seconds=CODE_SECONDS))
    assert code(await one.enter(challenge, sent, name="Lan")) == (410, "spent")


async def test_of_many_who_guess_at_one_site_all_wait_for_an_hour(
    one: MailInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenges, "WRONG_CODES_OF_SITE", 3)
    await one.server.store.write(AddSite("second", [], utc_now()))
    asked = [await one.challenge(f"{name}@example.com") for name in ("one", "two", "three", "four")]
    for challenge, sent in asked[:3]:
        assert code(await one.enter(challenge, wrong(sent))) == (401, "bad_code")
    elsewhere = await one.challenge("lan@example.com", site="second")
    await one.back_by(timedelta(minutes=5))
    refused = await one.enter(*asked[3], name="Lan")
    assert code(refused) == (429, "rate_limited")
    assert refused.json()["detail"] == "Too many wrong codes at this site; try again in 55 minutes."
    assert 3200 < int(refused.headers["Retry-After"]) <= 3300
    assert (await one.enter(*elsewhere, site="second", name="Lan")).status_code == 201
    await one.back_by(timedelta(minutes=55))
    assert (await one.signed_in(name="Lan"))["viewer"]["name"] == "Lan"


# ---- asking ---------------------------------------------------------------------------------------------


async def test_the_fourth_code_in_an_hour_and_the_eleventh_in_a_day_are_refused(one: MailInstance) -> None:
    for n in range(CODES_A_DAY):
        if n and n % 3 == 0:
            refused = await one.ask_code()
            assert code(refused) == (429, "rate_limited")
            assert 0 < int(refused.headers["retry-after"]) <= 3600
            assert (await one.ask_code("other@example.com")).status_code == (202 if n <= 9 else 429)
            await one.back_by(timedelta(hours=1))
        assert (await one.ask_code()).status_code == 202
    await one.back_by(timedelta(hours=1))
    refused = await one.ask_code()
    assert code(refused) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) > 3600


async def test_one_network_asks_for_ten_codes_an_hour(database: str, tmp_path: Path, smtp: MailServer) -> None:
    async with mailing(database, tmp_path, smtp, post_limit_address="1000/minute", work="none") as one:
        for n in range(10):
            assert (await one.ask_code(f"{n}@example.com")).status_code == 202
        assert code(await one.ask_code("10@example.com")) == (429, "rate_limited")
        assert len(await one.rows(schema.challenge)) == 10, "what is refused is not sent"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "lan",
        "@example.com",
        "lan@",
        "lan@@example.com",
        "lan@localhost",
        "lan@[127.0.0.1]",
        "lan@example.com\nBcc: all@example.com",
        "lan@example.com, ba@example.com",
        "Lan <lan@example.com>",
        '"lan ba"@example.com',
        "lan@exa mple.com",
        "lạn@example.com",
        "=?x?q?victim?=@example.com",
        "=?x?q?v=40evil.example=2cw=40b.example=2cx?=.a@example.com",
        "=?utf-8?q??=@example.com",
        f"{'l' * 65}@example.com",
        f"lan@{'e' * 250}.com",
    ],
)
async def test_what_is_no_address_gets_no_mail(one: MailInstance, email: str) -> None:
    answer = await one.ask_code(email)
    assert code(answer) == (422, "invalid")
    assert answer.json()["field"] == "email"
    assert await one.rows(schema.challenge) == []
    assert [row["queue"] for row in await one.rows(schema.task) if row["queue"] == "email-codes"] == []


def test_an_address_has_one_form() -> None:
    assert normal_email(" Lan.N+news@EXAMPLE.com ") == "lan.n+news@example.com", "nothing else is rewritten"
    assert normal_email("lan@bücher.example") == "lan@xn--bcher-kva.example"


async def test_known_and_unknown_addresses_get_the_same_answer(one: MailInstance) -> None:
    await one.signed_in(name="Lan")
    answers = [
        await one.ask_code(),
        await one.ask_code("nobody@example.com"),
        await one.ask_code("bounces@example.com"),
    ]
    bodies = [{**answer.json(), "challenge": len(answer.json()["challenge"])} for answer in answers]
    assert bodies == [{"challenge": 36, "expires_in": 600}] * 3
    assert {answer.status_code for answer in answers} == {202}


# ---- mail that does not go --------------------------------------------------------------------------------


async def test_mail_that_is_put_off_is_sent_later_with_the_same_code(one: MailInstance) -> None:
    one.smtp.answers.append("451 4.7.1 Greylisted, lan@example.com")
    challenge = (await one.ask_code()).json()["challenge"]

    async def failed() -> bool:
        return bool([row for row in await one.rows(schema.task) if row["queue"] == "email-codes" and row["error"]])

    await until(failed, "the first attempt")
    [row] = [row for row in await one.rows(schema.task) if row["queue"] == "email-codes"]
    assert "451" in row["error"]
    assert "lan" not in row["error"], "what the server says may hold the address"
    assert row["dead_at"] is None
    await one.back_by(timedelta(minutes=7))
    await one.do(update(schema.task).where(schema.task.c.id == row["id"]).values(run_at=0))
    sent = sent_code(mail := await one.smtp.received(1))
    assert "It expires in 3 minutes." in mail[-1].get_content()
    assert (await one.enter(challenge, sent, name="Lan")).status_code == 201


async def test_mail_that_is_refused_for_ever_is_dead_at_once(one: MailInstance) -> None:
    one.smtp.answers.append("550 5.1.1 No such user lan@example.com")
    await one.ask_code()

    async def dead() -> bool:
        return bool(await one.server.store.read(lambda c: c.scalar(select(schema.task.c.dead_at))))

    await one.do(schema.task.delete().where(schema.task.c.queue != "email-codes"))
    await until(dead, "the task to be dead")
    [row] = [row for row in await one.rows(schema.task) if row["queue"] == "email-codes"]
    assert "550" in row["error"]
    assert "lan" not in row["error"]


async def test_a_code_that_is_over_is_not_sent(database: str, tmp_path: Path, smtp: MailServer) -> None:
    async with mailing(database, tmp_path, smtp, work="none") as one:
        await one.ask_code()
        await one.back_by(timedelta(seconds=CODE_SECONDS))
    async with mailing(database, tmp_path, smtp) as one:

        async def done() -> bool:
            return not [row for row in await one.rows(schema.task) if row["queue"] == "email-codes"]

        await until(done, "the task to be done")
        assert smtp.mail == []


# ---- what is kept ---------------------------------------------------------------------------------------


async def test_neither_address_nor_code_is_stored_in_clear(one: MailInstance) -> None:
    _, sent = await one.challenge("marker.of.an.address@example.com")
    stored = repr([await one.rows(table) for table in schema.metadata.sorted_tables])
    assert "marker" not in stored
    assert sent not in stored


async def test_what_is_over_is_emptied_and_then_deleted(one: MailInstance) -> None:
    await one.challenge()
    await one.server.store.write(SweepChallenges(utc_now()))
    assert (await one.rows(schema.challenge))[0]["sealed"], "one that is good stays"
    await one.back_by(timedelta(seconds=CODE_SECONDS))
    await one.server.store.write(SweepChallenges(utc_now()))
    [row] = await one.rows(schema.challenge)
    assert (row["sealed"], row["code"]) == ("", "")
    await one.back_by(timedelta(days=1))
    await one.server.store.write(SweepChallenges(utc_now()))
    assert await one.rows(schema.challenge) == []


async def test_a_member_of_a_provider_that_vouches_for_the_address_is_the_same_person(
    database: str, tmp_path: Path, smtp: MailServer
) -> None:
    global MAILBOXES
    given = settings(tmp_path, database, smtp)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(given, more_sign_in_methods={"test": vouched}))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(server.asgi), base_url="http://news.test", timeout=PATIENCE
        )
        one = MailInstance(server, await stack.enter_async_context(client), smtp)
        secret = secret_key(given)
        MAILBOXES = Mailboxes(Sealing(secret), derived_key(secret, "mailboxes"))
        by_mail = (await one.signed_in(name="Lan"))["viewer"]["id"]
        joined = await one.sign_in("1/Lan/Lan@Example.com")
        assert joined.json()["viewer"]["id"] == by_mail
        assert (await one.sign_in("1/Lan/")).json()["viewer"]["id"] == by_mail, "and stays the same without it"
        assert (await one.sign_in("2/Lan/")).json()["viewer"]["id"] != by_mail
        other = (await one.sign_in("3/Ba/ba@example.com")).json()["viewer"]["id"]
        assert (await one.signed_in("ba@example.com"))["viewer"]["id"] == other
        assert await check(server.store) == []


# ---- settings -------------------------------------------------------------------------------------------


async def test_without_a_mail_server_nothing_about_mail_is_offered(database: str, tmp_path: Path) -> None:
    async with running(unlimited(tmp_path, database_url=database)) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
            assert "email" not in (await client.get(f"{API}/signin/options")).json()["grants"]
            assert (await client.post(f"{API}/codes", json={"email": LAN})).status_code == 404
            answer = await client.post(f"{API}/sessions", json={"grant": "email", "challenge": "", "code": ""})
            assert code(answer) == (422, "invalid")


async def test_with_one_the_options_say_so(one: MailInstance) -> None:
    assert "email" in (await one.client.get(f"{API}/signin/options")).json()["grants"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_url": "smtp://mail.example"}, "TERTULIA_MAIL_FROM"),
        ({"smtp_url": "http://mail.example", "mail_from": "a@news.example"}, "TERTULIA_SMTP_URL"),
        ({"smtp_url": "smtp://", "mail_from": "a@news.example"}, "TERTULIA_SMTP_URL"),
        ({"smtp_url": "smtp://mail.example:port", "mail_from": "a@news.example"}, "TERTULIA_SMTP_URL"),
        ({"smtp_url": "smtp://mail.example/inbox", "mail_from": "a@news.example"}, "TERTULIA_SMTP_URL"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "The News"}, "TERTULIA_MAIL_FROM"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "The News <>"}, "TERTULIA_MAIL_FROM"),
    ],
)
async def test_settings_that_cannot_be_are_told_of_at_start(tmp_path: Path, given: dict[str, str], said: str) -> None:
    with pytest.raises(StartupError, match=said):
        async with running(unlimited(tmp_path, **given)):
            pass
