"""Standard Webhooks 1.0.0, symmetric: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/

webhook-id: c_0190…_1          the same for each attempt, by which a receiver knows a repeat; without a dot
webhook-timestamp: 1796083200  of this attempt, in seconds; a receiver refuses one that is minutes off
webhook-signature: v1,K5oZ…    HMAC-SHA256 of id.timestamp.body in Base64; its key is what the secret stands for
"""

from __future__ import annotations

import base64
import hmac
import secrets

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The standard has 24 to 64."""


def new_secret() -> str:
    """As it is shown to whoever writes the receiver."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def signed(secret: str, id_: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a request with this body; ``at`` is in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{id_}.{at}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(digest).decode('ascii')}"
    return {"webhook-id": id_, "webhook-timestamp": str(at), "webhook-signature": signature}
