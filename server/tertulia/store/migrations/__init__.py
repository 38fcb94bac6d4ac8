"""The database's history, one file a change; expand first, contract a release later.

Alembic is imported only where a revision is missing, so that an ordinary start does not pay for it.
"""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection, column, inspect, select, table

HEAD = "0013"
"""The newest revision in versions/."""
_VERSION = table("alembic_version", column("version_num"))


class MigrationError(Exception):
    """The schema cannot be brought to the newest revision, in Alembic's words."""


def revision(connection: Connection) -> str | None:
    """The revision of the database's schema; None where no Tertulia has made one in it."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))


def is_current(connection: Connection) -> bool:
    """Whether the database has the newest revision. Raises MigrationError if it has one that is not known here."""
    found = revision(connection)
    if found is not None and found not in _known():
        raise MigrationError(
            f"its schema {found} is of another version of Tertulia, newer than this one, which knows {HEAD} at most; "
            "run that version, or restore a backup of this one"
        )
    return found == HEAD


def _known() -> set[str]:
    versions = files("tertulia.store.migrations").joinpath("versions").iterdir()
    return {version.name.partition("_")[0] for version in versions if version.name[:1].isdigit()}


def upgrade(connection: Connection) -> None:
    """Brings the schema to the newest revision; the connection has no transaction yet. Raises MigrationError."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(files("tertulia.store.migrations")))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MigrationError(str(error)) from error
