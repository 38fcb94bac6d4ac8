"""A site with far more of everything than one answer may read, made by the database itself in seconds.

Each list has its own crowd: whatever reads more than its page meets tens of thousands of rows. What is numbered has
ids that can be foretold: ``name(kind, n)``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from tertulia.core import documents

BIG, ASIDE = "big", "aside"
SOON = 1_700_000_000_000
"""The time of the first comment, in milliseconds; each is a second after the one before."""


@dataclass(frozen=True, slots=True)
class Filling:
    """How many comments in all. A quarter each: top-level ones, replies to one, replies to a reply of it, others."""

    comments: int

    @property
    def quarter(self) -> int:
        return self.comments // 4


def name(kind: int, number: int) -> str:
    """The id of what is numbered: an author (0), a comment (1), a report (2)."""
    return f"{number:08x}-000{kind}-7000-8000-{number:012x}"


def fill(connection: Connection, filling: Filling) -> None:
    """Fills an empty, migrated database; the statistics are those of the database."""
    _Filler(connection, filling).fill()


class _Filler:
    """Comments by their numbers: ``quarter`` top-level ones of the big discussion, of which the first has as many
    replies, and the first of these as many again; the last quarter is of small discussions. Of each hundred comments
    three wait, three are removed and three deleted; of equal votes there are always thousands.
    """

    def __init__(self, connection: Connection, filling: Filling) -> None:
        self._connection = connection
        self._filling = filling
        self._is_sqlite = connection.dialect.name == "sqlite"

    def fill(self) -> None:
        many, q = self._filling.comments, self._filling.quarter
        self._run("INSERT INTO site (key, origins, created_at) VALUES ('second', '[]', 0)")
        of_site = "(SELECT id FROM site WHERE key = '{}')"
        default, second = of_site.format("default"), of_site.format("second")
        common = "'', '', 'open', 0, 0, 0"
        columns = "id, site_id, key, title, url, mode, seq, comment_count, created_at"
        self._run(f"INSERT INTO discussion ({columns}) VALUES (1, {default}, '{BIG}', {common})")
        self._run(f"INSERT INTO discussion ({columns}) VALUES (2, {second}, '{ASIDE}', {common})")
        self._each(
            max(10, many // 20), f"discussion ({columns})", f"n + 10, {default}, 'd' || n, '', '', 'open', 0, 1, 0"
        )
        self._each(many, "key_alias (site_id, key, discussion_id)", f"{default}, 'alias' || n, 1")
        self._each(many, "author (id, name, badge, created_at)", f"{self._id(0)}, 'Lan', NULL, 0")
        self._each(
            many, "identity (site_id, issuer, subject, author_id, at)", f"{default}, 'i', 's' || n, {self._id(0)}, 0"
        )
        session = "session (id, token_hash, author_id, site_id, scope, roles, via, label, at, used_at, expires_at)"
        ends = "CASE WHEN n % 2 = 0 THEN 9000000000000 ELSE 0 END"
        of = f"'s' || n, 'h' || n, {self._id(0)}, {default}, 'reader', '[]', 'test', '', 0, 0"
        self._each(many, session, f"{of}, {ends}")
        codes = "challenge (id, site_id, address, sealed, code, tries, language, at, expires_at)"
        when = f"{SOON} + n, CASE WHEN n % 2 = 0 THEN 9000000000000 ELSE 0 END"
        self._each(many, codes, f"{self._id(0)}, {default}, 'a' || n, '', '', 0, 'en', {when}")
        contact = "contact (author_id, sealed, address, verified_at, language, state)"
        self._each(many, contact, f"{self._id(0)}, '', 'a' || n, 0, '', 'ok'")
        self._each(many, '"grant" (author_id, site_id, role)', f"{self._id(0)}, 0, 'host'")
        token = "site_token (id, site_id, name, token_hash, scopes, at)"
        self._each(many, token, f"{self._id(0)}, {second}, 't' || n, 'h' || n, '[]', 0")
        issuer = "issuer (site_id, name, kind, config)"
        self._each(many // 20, issuer, f"{second}, 'i' || n, 'jwt', '{{}}'")
        self._run(f"INSERT INTO {issuer} VALUES ({default}, 'i1', 'jwt', '{json.dumps({'iss': 'i'})}')")
        self._each(many, "spent_token (digest, expires_at)", f"'d' || n, {SOON * 2}")
        comment = (
            "comment (id, discussion_id, parent_id, root_id, author_id, author_name, text, body, created_at, state, "
            "published, up, down, reply_count, pinned, idempotency_key, request_digest)"
        )
        body = f"'{json.dumps(documents.parse('Hello.'))}'"
        small = f"(n % {max(10, many // 20)}) + 11"
        state = (
            "CASE WHEN n % 100 IN (20, 21, 23) THEN 'held' WHEN n % 100 IN (30, 31, 33) THEN 'removed' "
            "WHEN n % 100 IN (40, 41, 43) THEN 'deleted' ELSE 'visible' END"
        )
        yes, no = ("1", "0") if self._is_sqlite else ("true", "false")
        published = f"CASE WHEN n % 100 IN (20, 21, 23) THEN {no} ELSE {yes} END"
        root, reply = f"'{name(1, 1)}'", f"'{name(1, q + 1)}'"
        where = f"CASE WHEN n <= {3 * q} THEN 1 ELSE {small} END"
        parent = f"CASE WHEN n > {q} AND n <= {2 * q} THEN {root} WHEN n > {2 * q} AND n <= {3 * q} THEN {reply} END"
        root_of = f"CASE WHEN n > {q} AND n <= {3 * q} THEN {root} ELSE {self._id(1)} END"
        # one author wrote a tenth of all; the others one each
        author = f"CASE WHEN n % 10 = 3 THEN '{name(0, 1)}' ELSE {self._id(0)} END"
        self._each(
            many,
            comment,
            f"{self._id(1)}, {where}, {parent}, {root_of}, {author}, 'Lan', 'Hello.', {body}, {SOON} + n * 1000, "
            f"{state}, {published}, CASE WHEN n % 7 = 0 THEN n % 3 ELSE 0 END, 0, 0, {no}, 'k' || n, 'd'",
        )
        event = "event (discussion_id, seq, kind, comment_id, at, payload)"
        payload = """'{"seq":' || n || ',"kind":"comment.voted","at":"","comment_id":"","votes":{"up":1,"down":0}}'"""
        self._each(many, event, f"1, n, 'comment.voted', {self._id(1)}, 0, {payload}")
        self._run(f"UPDATE discussion SET seq = {many}, comment_count = {q * 3 // 4} WHERE id = 1")
        self._each(many, "vote (comment_id, voter_id, value)", f"'{name(1, 2)}', {self._id(0)}, 1")
        # half the reports are of a comment that can no longer be read
        of = f"CASE WHEN n <= {many} / 2 THEN '{name(1, 30)}' ELSE '{name(1, 5)}' END"
        listed = f"CASE WHEN n <= {many} / 2 THEN {no} ELSE {yes} END"
        report = "report (id, comment_id, reporter_id, reason, note, at, open)"
        self._each(many, report, f"{self._id(2)}, {of}, NULL, 'spam', '', {SOON} + n * 1000, {listed}")
        # what is held waits at the desk; the rest was decided about
        review = "review (comment_id, site_id, queue, rank, since, weight, causes, closed_at, closed_by, decision)"
        of_site = "(SELECT site_id FROM discussion WHERE discussion.id = comment.discussion_id)"
        waiting = f"id, {of_site}, 'waiting', 1, created_at, 0, '[]', NULL, NULL, NULL"
        decided = f"id, {of_site}, 'waiting', 1, created_at, 0, '[]', created_at, 'Mai', 'approved'"
        for values, which in ((waiting, "state = 'held'"), (decided, "state = 'visible'")):
            self._run(f"INSERT INTO {review} SELECT {values} FROM comment WHERE {which}")
        # what the deletion of the last of an author's comments asks for: an author whose comments are all deleted
        self._run(f"UPDATE comment SET state = 'deleted' WHERE author_id = '{name(0, 1)}' AND id > '{name(1, q)}'")
        if not self._is_sqlite:
            self._run("SELECT setval(pg_get_serial_sequence('discussion', 'id'), 1000000)")

    def _id(self, kind: int) -> str:
        if self._is_sqlite:
            return f"printf('%08x-000{kind}-7000-8000-%012x', n, n)"
        return f"lpad(to_hex(n), 8, '0') || '-000{kind}-7000-8000-' || lpad(to_hex(n), 12, '0')"

    def _each(self, many: int, into: str, values: str) -> None:
        """One row for each n from 1."""
        numbers = f"generate_series(1, {many}) AS numbers(n)"
        if self._is_sqlite:
            numbers = (
                f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {many}) SELECT n FROM s)"
            )
        self._run(f"INSERT INTO {into} SELECT {values} FROM {numbers}")

    def _run(self, statement: str) -> None:
        self._connection.exec_driver_sql(statement)
