"""A real HTTPS server on this machine, with a certificate of its own, which can do all that servers do wrong."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.listener import Listener

ELSEWHERE = "127.1"
"""A name for this machine that only its resolver knows to be one."""


@cache
def certificate() -> tuple[bytes, bytes]:
    """A certificate for this machine, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server of the tests")])
    names = [x509.DNSName("localhost"), x509.DNSName(ELSEWHERE), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), private


def trusting() -> ssl.SSLContext:
    """What a client needs to trust it."""
    return ssl.create_default_context(cadata=certificate()[0].decode())


def serving() -> ssl.SSLContext:
    """What a server needs to show it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.pem"
        path.write_bytes(b"".join(certificate()))
        context.load_cert_chain(path)
    return context


class HttpsServer(Listener):
    """Answers every request with ``status``, ``headers`` and ``body``, or, where it ``hangs``, not before ``go_on``."""

    def __init__(self) -> None:
        super().__init__()
        self.status = "200 OK"
        self.headers: dict[str, str] = {}
        self.body = b"{}"
        self.hangs = False
        self.go_on = asyncio.Event()
        self.asked: list[str] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    async def __aenter__(self) -> HttpsServer:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=serving())
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked.append(head.decode("latin-1"))
                if self.hangs:
                    await self.go_on.wait()
                headers = {"Content-Length": str(len(self.body))} | self.headers
                lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                writer.write(f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode() + self.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
