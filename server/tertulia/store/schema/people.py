"""Who is who, who may what, and what lets people and programs in."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from tertulia.store.schema.base import Id, metadata, partial

identity = Table(
    "identity",
    metadata,
    Column("site_id", ForeignKey("site.id"), primary_key=True, autoincrement=False),
    Column("issuer", Text, primary_key=True),
    # keyed: nobody who has the table finds whom the issuer means
    Column("subject", String(64), primary_key=True),
    Column("author_id", ForeignKey("author.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_identity_author_id", "author_id"),
)

contact = Table(
    "contact",
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("verified_at", BigInteger),
    Column("language", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Index("ix_contact_address", "address"),
)

session = Table(
    "session",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("author_id", ForeignKey("author.id"), nullable=False),
    # None for whoever acts at all sites
    Column("site_id", ForeignKey("site.id")),
    Column("scope", String(8), nullable=False),
    # those it was given with; what is left of them is in the grants
    Column("roles", JSON, nullable=False),
    Column("via", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index("ix_session_author_id", "author_id"),
    Index("ix_session_expires_at", "expires_at"),
)

grant = Table(
    "grant",
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Column("site_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role", String(16), primary_key=True),
    Index("ix_grant_site_id", "site_id"),
)
"""``site_id`` 0 is all sites, so there is no key to another table."""

issuer = Table(
    "issuer",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("config", JSON, nullable=False),
    Column("sealed_secret", Text),
    UniqueConstraint("site_id", "name"),
)

# a browser on its way to a provider and back; what it alone has to know is here as a hash
signin = Table(
    "signin",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("page_state", String(64), nullable=False),
    Column("challenge", String(64), nullable=False),
    Column("return_to", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("browser", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("sealed_verifier", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_signin_expires_at", "expires_at"),
)

# what the page gets for it, as a hash, and whom the provider named, sealed
signin_code = Table(
    "signin_code",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("challenge", String(64), nullable=False),
    Column("origin", Text, nullable=False),
    Column("sealed_person", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_signin_code_expires_at", "expires_at"),
)

# a code that was sent to an address
challenge = Table(
    "challenge",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("address", String(64), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("code", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("language", String(8), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_challenge_address", "address", "at"),
    Index("ix_challenge_expires_at", "expires_at"),
    # how often codes of a site were guessed: no more rows than there may be wrong codes in an hour
    partial("ix_challenge_wrong", "site_id", "expires_at", where="tries > 0"),
)

# what an issuer's token is told by, where it is good once
spent_token = Table(
    "spent_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_spent_token_expires_at", "expires_at"),
)

site_token = Table(
    "site_token",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    UniqueConstraint("site_id", "name"),
)
