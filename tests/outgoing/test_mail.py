"""Mail to a real SMTP server: with TLS wherever it leaves this machine, and with nothing kept of what was refused."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage

import pytest

from tertulia.outgoing.mail import Mailer, MailError
from tests.support.https import ELSEWHERE, serving, trusting
from tests.support.smtp import mail_server

SENDER = "The News <comments@news.example>"


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = SENDER, "everybody@example.com", "Xin chào"
    made.set_content("Good evening, Lan. Chúc buổi tối tốt lành.\n")
    return made


async def test_mail_to_this_machine_arrives_as_it_was_written() -> None:
    async with mail_server() as server:
        await Mailer(server.url, SENDER).send(message(), "lan@example.com")
    [arrived] = server.mail
    assert server.recipients == [["lan@example.com"]], "and not whoever a header names"
    assert arrived["Subject"] == "Xin chào"
    assert "Chúc buổi tối" in arrived.get_content()


@pytest.mark.parametrize("is_tls_at_once", [False, True])
async def test_a_server_elsewhere_gets_the_password_and_the_mail_under_tls_alone(is_tls_at_once: bool) -> None:
    async with mail_server(serving(), is_tls_at_once=is_tls_at_once, asks_who=True) as server:
        scheme = "smtps" if is_tls_at_once else "smtp"
        url = f"{scheme}://news:a%40b@{ELSEWHERE}:{server.port}"
        await Mailer(url, SENDER, tls=trusting()).send(message(), "lan@example.com")
    assert server.is_tls == [True]
    assert server.signed_in == [("news", "a@b")]


async def test_a_server_elsewhere_without_tls_gets_nothing() -> None:
    async with mail_server() as server:
        with pytest.raises(MailError):
            await Mailer(f"smtp://{ELSEWHERE}:{server.port}", SENDER).send(message(), "lan@example.com")
        assert server.mail == []


async def test_a_host_that_is_listed_as_private_may_go_without() -> None:
    async with mail_server() as server:
        host = f"{ELSEWHERE}:{server.port}"
        await Mailer(f"smtp://{host}", SENDER, [host]).send(message(), "lan@example.com")
    assert server.is_tls == [False]


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async with mail_server(serving()) as server:
        with pytest.raises(MailError) as refused:
            await Mailer(f"smtp://{ELSEWHERE}:{server.port}", SENDER).send(message(), "lan@example.com")
    assert not refused.value.is_final, "the operator may mend it"


@pytest.mark.parametrize(("answer", "is_final"), [("550 5.1.1 No lan@example.com", True), ("452 4.2.2 Full", False)])
async def test_what_is_refused_says_the_number_and_no_address(answer: str, is_final: bool) -> None:
    async with mail_server() as server:
        server.answers.append(answer)
        with pytest.raises(MailError) as refused:
            await Mailer(server.url, SENDER).send(message(), "lan@example.com")
    assert answer[:3] in str(refused.value)
    assert "example" not in str(refused.value)
    assert refused.value.is_final is is_final


async def test_a_server_that_is_not_there_can_be_asked_again() -> None:
    async with mail_server() as server:
        url = server.url
    with pytest.raises(MailError) as refused:
        await Mailer(url, SENDER).send(message(), "lan@example.com")
    assert not refused.value.is_final


async def test_a_server_that_says_nothing_is_given_up() -> None:
    asked: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _reader, writer: asked.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(MailError) as refused:
        await Mailer(f"smtp://127.0.0.1:{port}", SENDER, seconds=0.2).send(message(), "lan@example.com")
    assert not refused.value.is_final
    for writer in asked:
        writer.close()
        await writer.wait_closed()
    silent.close()
    await silent.wait_closed()
