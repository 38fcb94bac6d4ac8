"""What all tables share: their names for constraints, numbers of rows, indexes of some rows only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, MetaData, text
from sqlalchemy.sql.elements import TextClause

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key

WHERE = "postgresql_where"


def partial(
    name: str, *columns: str | TextClause, where: str, sqlite_where: str | None = None, unique: bool = False
) -> Index:
    """An index of some rows only; the queries that read it say the same ``where`` in literal words."""
    return Index(name, *columns, unique=unique, sqlite_where=text(sqlite_where or where), info={WHERE: text(where)})


def complete_for_postgresql() -> None:
    """Gives the partial indexes their conditions on PostgreSQL: to say one loads its dialect, 20 ms and 2 MiB."""
    for table in metadata.sorted_tables:
        for index in table.indexes:
            if WHERE in index.info:
                index.dialect_kwargs[WHERE] = index.info[WHERE]
