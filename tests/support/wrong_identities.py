"""What is wrong with who is who: statements that make it so, and the codes that are found, and no others."""

from __future__ import annotations

_HEX = "hex(zeroblob(32))"
"""What is as long as a digest."""
_GUEST = "(SELECT min(id) FROM author WHERE kind = 'guest')"
_STAFF = "(SELECT min(author_id) FROM moderator)"
_SECOND = "(SELECT max(id) FROM site)"
_MEMBER = "UPDATE author SET kind = 'member', site_id = 1 WHERE kind = 'guest'"
_CONTACT = "INSERT INTO contact VALUES ({}, 'sealed', {}, 0, '', '{}')"
_CODE = "INSERT INTO challenge VALUES ('c', 1, {0}, 'sealed', {0}, {1}, 'en', {2}, 600000)"
_ISSUER = "INSERT INTO issuer VALUES (1, 1, '{}', '{}', '{}', NULL)"

WRONG: dict[str, tuple[list[str], set[str]]] = {
    "author of no kind": (["UPDATE author SET kind = 'king' WHERE kind = 'guest'"], {"author_kind"}),
    "too much trust": (["UPDATE author SET trust = 3"], {"author_trust"}),
    "staff without tokens": ([f"UPDATE author SET tokens_after = 1 WHERE id = {_STAFF}"], {"author_tokens"}),
    "member of no site": (["UPDATE author SET kind = 'member' WHERE kind = 'guest'"], {"member_site"}),
    "staff that became a guest": (
        [f"UPDATE author SET merged_into = {_GUEST} WHERE id = {_STAFF}"],
        {"merged_kind"},
    ),
    "identity of another site": (
        [
            _MEMBER,
            f"INSERT INTO identity SELECT {_SECOND}, 'news', {_HEX}, max(id), 0 FROM author WHERE kind = 'member'",
        ],
        {"identity_site"},
    ),
    "identity of a guest": (
        [f"INSERT INTO identity VALUES (1, 'news', {_HEX}, {_GUEST}, 0)"],
        {"identity_author"},
    ),
    "identity by a name": ([_MEMBER, f"INSERT INTO identity VALUES (1, 'news', '4711', {_STAFF}, 0)"], {"digest"}),
    "contact by an address": ([_CONTACT.format(_STAFF, "'lan@example.com'", "ok")], {"digest"}),
    "contact of a guest": ([_CONTACT.format(_GUEST, _HEX, "ok")], {"contact_author"}),
    "contact in no state": ([_CONTACT.format(_STAFF, _HEX, "lost")], {"contact_state"}),
    "way to a provider": (
        ["INSERT INTO signin VALUES ('state', 1, 'house', '', '', '', 'en', 'b', 'n', '', 0)"],
        {"digest"},
    ),
    "code of a provider": (["INSERT INTO signin_code VALUES ('code', 1, 'c', 'o', 'sealed', 0)"], {"digest"}),
    "spent by its name": (["INSERT INTO spent_token VALUES ('jti', 0)"], {"digest"}),
    "code by its digits": ([_CODE.format("'123456'", 0, 0)], {"digest"}),
    "code tried too often": ([_CODE.format(_HEX, 6, 0)], {"code_tries"}),
    "code that ended before": ([_CODE.format(_HEX, 0, 700_000)], {"code_times"}),
    "moderator who is a guest": (
        [
            f"INSERT INTO moderator VALUES ({_GUEST}, 'Lan', 'hash', 0)",
            f"INSERT INTO \"grant\" VALUES ({_GUEST}, 0, 'moderator')",
        ],
        {"moderator_kind"},
    ),
    "moderator without a role": (['DELETE FROM "grant"'], {"moderator_role"}),
    "token without a name": (
        ["INSERT INTO site_token VALUES ('t', 1, '', 'h', '[\"read\"]', 0, NULL)"],
        {"token_name"},
    ),
    "issuer without a name": ([_ISSUER.format("A B", "jwt", "{{}}")], {"issuer_row"}),
    "issuer of no kind": ([_ISSUER.format("a", "king", "{{}}")], {"issuer_row"}),
    "issuer without settings": ([_ISSUER.format("a", "jwt", "[]")], {"issuer_row"}),
    "site of no version": (["UPDATE site SET version = 0 WHERE id = 1"], {"site_settings"}),
    "site of odd origins": (["UPDATE site SET origins = '[1]' WHERE id = 1"], {"site_settings"}),
    "site of odd settings": (["UPDATE site SET settings = '[]' WHERE id = 1"], {"site_settings"}),
    "site of odd rules": (
        ['UPDATE site SET settings = \'{{"rules": {{"who": "king"}}}}\' WHERE id = 1'],
        {"site_settings"},
    ),
    "site of odd badges": (
        ['UPDATE site SET settings = \'{{"badges": {{"A B": {{}}}}}}\' WHERE id = 1'],
        {"site_settings"},
    ),
    "action of nobody": (
        ["INSERT INTO action VALUES ('a', 0, NULL, NULL, '', 'x', NULL, NULL, NULL, '', '', '{{}}', NULL)"],
        {"action_actor"},
    ),
}

_VISIBLE = "(SELECT min(id) FROM comment WHERE state = 'visible' AND discussion_id = 1)"
_REVIEW = "INSERT INTO review VALUES ({}, {}, '{}', 1, 0, {}, '[]', NULL, NULL, {})"
_OPEN, _CLOSED = "NULL, NULL, NULL", "1, 'Mai', 'kept'"
_BAN = "INSERT INTO ban VALUES ('b', 1, '{}', {}, NULL, '{}', 'spam', '', 1, {}, 'Mai', NULL, NULL)"

WRONG |= {
    "held, and nobody is told": (["DELETE FROM review"], {"held_review"}),
    "review at another site": ([_REVIEW.format(_VISIBLE, _SECOND, "reported", 0, _OPEN)], {"review_site"}),
    "review in no queue": ([_REVIEW.format(_VISIBLE, 1, "somewhere", 0, _CLOSED)], {"review_queue"}),
    "waits and is shown": ([_REVIEW.format(_VISIBLE, 1, "waiting", 0, _OPEN)], {"review_state"}),
    "over without a decision": (
        [_REVIEW.format(_VISIBLE, 1, "reported", 0, "1, NULL, NULL")],
        {"review_end"},
    ),
    "review of another weight": ([_REVIEW.format(_VISIBLE, 1, "reported", 7, _OPEN)], {"review_weight"}),
    "report in no state": (["UPDATE report SET state = 'lost', resolved_at = NULL"], {"report_state"}),
    "ban of no kind": ([_BAN.format("king", "'x'", "refuse", "NULL")], {"ban_row"}),
    "ban without an effect": ([_BAN.format("author", "'x'", "nothing", "NULL")], {"ban_row"}),
    "ban that ended before": ([_BAN.format("author", "'x'", "hold", 0)], {"ban_row"}),
    "ban by an address": ([_BAN.format("near", "'10.0.0.1'", "hold", "NULL")], {"ban_row"}),
    "word that does nothing": (["INSERT INTO word VALUES (1, 1, 'x', 'sing', '', 'Mai', 0)"], {"word_row"}),
    "hook without a name": (["INSERT INTO hook VALUES (1, 1, '', 'check', '{{}}', NULL, 0, NULL, NULL)"], {"hook_row"}),
    "hook that fails since never": (
        ["INSERT INTO hook VALUES (1, 1, 'x', 'check', '{{}}', NULL, 5, NULL, 0)"],
        {"hook_row"},
    ),
    "verdict of another kind": (
        [f"INSERT INTO verdict VALUES ({_VISIBLE}, 1, 1, 'maybe', NULL, '[]', '', 0)"],
        {"verdict_row"},
    ),
    "site that knows of no ban of a network": (
        [_BAN.format("near", _HEX, "hold", "2")],
        {"network_bans"},
    ),
    "origin by an address": (
        [f"INSERT INTO origin VALUES ({_VISIBLE}, '10.0.0.1', NULL, 0)"],
        {"origin_row"},
    ),
}

ANY_TIME = "any moment is possible: a clock may be set back between two of them"
ANY_TEXT = "any text is possible"
KEY = "the database has it once, or finds what it refers to: foreign_key"
SEALED = "sealed: nobody who has no secret key can tell"

EXAMINED: dict[str, dict[str, str]] = {
    "site": {
        "id": KEY,
        "key": KEY,
        "origins": "site_settings",
        "networks_banned_until": "network_bans",
        "created_at": ANY_TIME,
        "settings": "site_settings",
        "version": "site_settings",
    },
    "author": {
        "id": KEY,
        "name": ANY_TEXT,
        "badge": ANY_TEXT,
        "created_at": ANY_TIME,
        "site_id": "author_site",
        "kind": "author_kind",
        "skeleton": "nothing reads it any more",
        "merged_into": "merged",
        "trust": "author_trust",
        "tokens_after": "author_tokens",
        "erased_at": "nothing writes it yet",
        "ban_effect": "as the bans say",
        "ban_until": ANY_TIME,
    },
    "taken_name": {"site_id": "taken_name", "skeleton": "taken_name", "author_id": KEY},
    "moderator": {"author_id": "moderator_kind", "name": KEY, "token_hash": KEY, "created_at": ANY_TIME},
    "identity": {
        "site_id": "identity_site",
        "issuer": ANY_TEXT,
        "subject": "digest",
        "author_id": "identity_author",
        "at": ANY_TIME,
    },
    "contact": {
        "author_id": "contact_author",
        "sealed": SEALED,
        "address": "digest",
        "verified_at": ANY_TIME,
        "language": ANY_TEXT,
        "state": "contact_state",
    },
    "session": {
        "id": KEY,
        "token_hash": KEY,
        "author_id": KEY,
        "site_id": "session_site",
        "scope": "session_scope",
        "roles": "nothing is allowed by them: the grants say what is",
        "via": ANY_TEXT,
        "label": ANY_TEXT,
        "at": ANY_TIME,
        "used_at": ANY_TIME,
        "expires_at": ANY_TIME,
        "revoked_at": ANY_TIME,
    },
    "grant": {"author_id": KEY, "site_id": "grant_site", "role": "grant_role"},
    "issuer": {
        "id": KEY,
        "site_id": KEY,
        "name": "issuer_row",
        "kind": "issuer_row",
        "config": "issuer_row",
        "sealed_secret": SEALED,
    },
    "signin": {
        "state": "digest",
        "site_id": KEY,
        "provider": "one that was removed meanwhile refuses",
        "page_state": "the page's own",
        "challenge": "the page's own",
        "return_to": "held against the site's origins when it is used",
        "language": ANY_TEXT,
        "browser": "digest",
        "nonce": "digest",
        "sealed_verifier": SEALED,
        "expires_at": ANY_TIME,
    },
    "signin_code": {
        "code": "digest",
        "site_id": KEY,
        "challenge": "the page's own",
        "origin": "held against the page's when it is used",
        "sealed_person": SEALED,
        "expires_at": ANY_TIME,
    },
    "challenge": {
        "id": KEY,
        "site_id": KEY,
        "address": "digest",
        "sealed": SEALED,
        "code": "digest",
        "tries": "code_tries",
        "language": ANY_TEXT,
        "at": "code_times",
        "expires_at": "code_times",
    },
    "spent_token": {"digest": "digest", "expires_at": ANY_TIME},
    "site_token": {
        "id": KEY,
        "site_id": KEY,
        "name": "token_name",
        "token_hash": KEY,
        "scopes": "token_scopes",
        "at": ANY_TIME,
        "used_at": "nothing writes it yet",
    },
    "review": {
        "comment_id": KEY,
        "site_id": "review_site",
        "queue": "review_queue",
        "rank": "review_queue",
        "since": ANY_TIME,
        "weight": "review_weight",
        "causes": "a version after this one may have written them",
        "kept_at": ANY_TIME,
        "approved_at": ANY_TIME,
        "closed_at": "review_end",
        "closed_by": "review_end",
        "decision": "review_end",
    },
    "word": {
        "id": KEY,
        "site_id": KEY,
        "entry": "word_row",
        "does": "word_row",
        "note": ANY_TEXT,
        "by": ANY_TEXT,
        "at": ANY_TIME,
    },
    "ban": {
        "id": KEY,
        "site_id": "what it was about may be gone",
        "kind": "ban_row",
        "target": "ban_row",
        "author_id": "what it tells of may be gone",
        "effect": "ban_row",
        "reason": ANY_TEXT,
        "note": ANY_TEXT,
        "at": "ban_row",
        "until": "ban_row",
        "by": ANY_TEXT,
        "lifted_at": ANY_TIME,
        "lifted_by": ANY_TEXT,
    },
    "origin": {"comment_id": KEY, "network": "origin_row", "sealed": SEALED, "at": ANY_TIME},
    "hook": {
        "id": KEY,
        "site_id": KEY,
        "name": "hook_row",
        "kind": "hook_row",
        "config": "a version after this one may have written it",
        "sealed_secret": SEALED,
        "failures": "hook_row",
        "failing_since": "hook_row",
        "probe_at": ANY_TIME,
    },
    "verdict": {
        "comment_id": KEY,
        "version": "verdict_row",
        "hook_id": "the hook may be gone",
        "verdict": "verdict_row",
        "score": "any number is possible",
        "labels": ANY_TEXT,
        "note": ANY_TEXT,
        "at": ANY_TIME,
    },
    "action": {
        "id": KEY,
        "at": ANY_TIME,
        "site_id": "what it tells of may be gone",
        "actor_id": "action_actor",
        "actor": "action_actor",
        "verb": "a version after this one may have written it",
        "comment_id": "what it tells of may be gone",
        "author_id": "what it tells of may be gone",
        "discussion_id": "what it tells of may be gone",
        "reason": ANY_TEXT,
        "note": ANY_TEXT,
        "data": ANY_TEXT,
        "undoes": "action_undoes",
    },
}
"""By table and column: the code of a finding, or why there is none."""

OF_DISCUSSIONS = {
    "discussion": "head",
    "key_alias": "alias",
    "comment": "body",
    "thread": "thread_count",
    "event": "payload",
    "vote": "votes",
    "report": "report_state",
    "cursor": "cursor",
    "search_entry": "search",
    "meta": "without its rows no store opens",
    "task": "work that cannot be done is put aside, with its reason: tertulia work list",
}
"""The other tables, each with a code of a finding about it, or why there is none."""
