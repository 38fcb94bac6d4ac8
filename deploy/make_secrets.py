"""Makes the secrets of docker-compose.yml where they are missing, each in the volume of the service that reads it.

Runs as root once at every start. Files belong to root and can be read by the group 10001 alone. The passwords are made
anew together where any is missing: PostgreSQL and Redis take over what the files say when they start.
"""

import hashlib
import os
import secrets
from pathlib import Path

SECRETS = Path("/secrets")
WRITABLE = [Path("/articles"), Path("/certificates")]
"""Volumes of services that run as 10001."""
GROUP = 10001
SIGNING = "server/secret-key"


def main() -> None:
    for folder in WRITABLE:
        os.chown(folder, GROUP, GROUP)
    passwords = _passwords()
    if not all((SECRETS / name).exists() for name in passwords):
        for name, content in passwords.items():
            _write(SECRETS / name, content)
        print("Made new passwords for PostgreSQL and Redis.")
    if not (SECRETS / SIGNING).exists():
        _write(SECRETS / SIGNING, secrets.token_urlsafe(48))
        print("Made a new key that signs tokens.")


def _passwords() -> dict[str, str]:
    owner, server, redis = (secrets.token_urlsafe(32) for _ in range(3))
    roles = {"tertulia_owner": owner, "tertulia": server}
    return {
        "setup/database-url": f"postgresql+asyncpg://tertulia_owner:{owner}@postgres/tertulia",
        "server/database-url": f"postgresql+asyncpg://tertulia:{server}@postgres/tertulia",
        "server/redis-url": f"redis://tertulia:{redis}@redis:6379",
        "postgres/passwords.sql": "\n".join(f"ALTER ROLE {role} PASSWORD '{its}';" for role, its in roles.items()),
        "redis/users.acl": _acl(hashlib.sha256(redis.encode()).hexdigest()),
    }


def _acl(digest: str) -> str:
    """What the server does: pub/sub, and the Lua scripts of posting limits. ``health`` may say PING."""
    commands = "+publish +subscribe +unsubscribe +ping +eval +evalsha +script|load +lindex +lpush +ltrim +expire +time"
    return (
        "user default off\n"
        "user health on nopass resetchannels -@all +ping\n"
        f"user tertulia on #{digest} resetchannels &tertulia:* ~tertulia:* -@all {commands}"
    )


def _write(path: Path, content: str) -> None:
    """Whole or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    with os.fdopen(descriptor, "w") as file:
        os.fchown(descriptor, 0, GROUP)
        file.write(content + "\n")
    draft.rename(path)
    os.chown(path.parent, 0, GROUP)
    path.parent.chmod(0o750)


if __name__ == "__main__":
    main()
