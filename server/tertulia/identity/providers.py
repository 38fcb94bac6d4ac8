"""Providers at which a site's readers sign in: what is kept of one, and those that a name is enough for.

OpenID Connect   finds its addresses itself, and says who somebody is in an ID token
OAuth            has its addresses here, and says it in the answer to a question
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

OPENID_SCOPES = ("openid", "profile", "email")
_ADDRESS = r"^https?://[!-~]+$"


class OAuthEndpoints(BaseModel):
    """Where a provider without OpenID Connect is asked, and which members of its answer say who somebody is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    authorization: str = Field(pattern=_ADDRESS)
    token: str = Field(pattern=_ADDRESS)
    person: str = Field(pattern=_ADDRESS)
    subject: str
    names: tuple[str, ...]


class ProviderConfig(BaseModel):
    """What the row of a provider says. ``issuer`` names it, and begins the address of what it says of itself.

    With ``endpoints`` it is one of OAuth. ``join_by_email``: an address that the provider verified is
    kept, sealed, so that accounts can be joined by it; none are yet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(pattern=_ADDRESS, max_length=255)
    client_id: str = Field(min_length=1, max_length=255, pattern=r"^[!-~]+$")
    label: str = Field(min_length=1, max_length=40)
    icon: str = "key"
    scopes: tuple[str, ...] = OPENID_SCOPES
    endpoints: OAuthEndpoints | None = None
    join_by_email: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.endpoints is None and "openid" not in self.scopes:
            raise ValueError("OpenID Connect needs the scope openid")
        if self.endpoints is not None and self.join_by_email:
            raise ValueError("it does not say which addresses it verified, so nobody is joined by one")
        return self


@dataclass(frozen=True, slots=True)
class StoredProvider:
    """A row: the provider ``name`` of the site with this key; ``sealed`` is the secret that we show to it."""

    site: str
    name: str
    config: ProviderConfig
    sealed: str


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known of a provider. Without an ``issuer`` the operator names it: everybody has another."""

    label: str
    icon: str
    issuer: str | None = None
    kind: Literal["oidc", "github", "mastodon"] = "oidc"
    scopes: tuple[str, ...] = OPENID_SCOPES

    def endpoints(self, issuer: str) -> OAuthEndpoints | None:
        """Its addresses, where it does not say them itself."""
        if self.kind == "github":
            return _GITHUB
        if self.kind == "mastodon":
            return OAuthEndpoints(
                authorization=f"{issuer}/oauth/authorize",
                token=f"{issuer}/oauth/token",
                person=f"{issuer}/api/v1/accounts/verify_credentials",
                subject="id",
                names=("display_name", "username"),
            )
        return None


_GITHUB = OAuthEndpoints(
    authorization="https://github.com/login/oauth/authorize",
    token="https://github.com/login/oauth/access_token",  # noqa: S106 - an address
    person="https://api.github.com/user",
    subject="id",
    names=("name", "login"),
)
PRESETS: Mapping[str, Preset] = {
    "google": Preset("Google", "google", "https://accounts.google.com"),
    # personal accounts; an organisation's issuer has its own id in this place, and "common" has none that tokens bear
    "microsoft": Preset(
        "Microsoft", "microsoft", "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
    ),
    "gitlab": Preset("GitLab", "gitlab", "https://gitlab.com"),
    "keycloak": Preset("Keycloak", "keycloak"),
    "mastodon": Preset("Mastodon", "mastodon", None, "mastodon", ("profile",)),
    "github": Preset("GitHub", "github", "https://github.com", "github", ()),
}
UNSUPPORTED: Mapping[str, str] = {
    "apple": (
        "Sign in with Apple is not supported: it tells a name only by a form that its page posts to ours, and browsers "
        "send the cookie that ties a sign-in to its browser with no such form"
    )
}
