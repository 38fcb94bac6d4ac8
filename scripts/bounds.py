"""Every bound on what a stranger can make the server do or keep, with its number as the code has it.

SECURITY.md shows the tables. ``unlisted`` gives the numbers of the guarded modules that are neither a bound here nor said
to be none, so that whoever adds one has to decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import tertulia
from tertulia.settings import PREFIX, Settings, as_written

ROOT = Path(tertulia.__file__).parent
NUMBER = re.compile(r"^([A-Z][A-Z_]+)(?:: \w+)? = [0-9]", re.MULTILINE)


def size(value: float) -> str:
    """Bytes, in the largest unit that divides them."""
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if value >= unit and value % unit == 0:
            return f"{value // unit:,.0f} {name}"
    return f"{value:,.0f} bytes"


def seconds(value: float) -> str:
    return f"{value:g} s"


def hours(value: float) -> str:
    return f"{value:g} hours"


def days(value: float) -> str:
    return f"{value:g} days"


def milliseconds(value: float) -> str:
    return f"{value:g} ms"


def number(value: float) -> str:
    return f"{value:,g}" if value < 1_000_000 else f"{value:,}"


@dataclass(frozen=True, slots=True)
class Bound:
    """``what`` is bounded by the value at ``where``: ``module:NAME`` below ``tertulia``, or the name of a setting."""

    what: str
    where: str
    written: Callable[[Any], str] = number

    def row(self) -> tuple[str, str, str]:
        """What, how much, and where it is set."""
        module, _, name = self.where.partition(":")
        if not name:
            default = Settings.model_fields[module].default
            written = f"`{as_written(default)}`" if isinstance(default, str) else self.written(default)
            return self.what, written, f"`{PREFIX}{module.upper()}`"
        value = getattr(import_module(f"tertulia.{module.replace('/', '.')}"), name)
        return self.what, self.written(value), f"`{module}.py`"


BOUNDS: dict[str, list[Bound]] = {
    "Connections and requests": [
        Bound("connections of one process", "connections"),
        Bound("connections from one address, trusted proxies excepted", "connections_per_address"),
        Bound("connections accepted before something else runs", "serving/accepting:TURN"),
        Bound("open files kept for the server itself", "serving/accepting:RESERVE"),
        Bound("head of a request or handshake", "serving/heads:HEAD_BYTES", size),
        Bound("headers of a head", "serving/heads:MAX_HEADERS"),
        Bound("Connection, Upgrade, Expect and Sec-WebSocket together", "serving/heads:NEGOTIATION_BYTES", size),
        Bound("time for a head", "serving/timeouts:HEAD_SECONDS", seconds),
        Bound("time for a body", "serving/timeouts:BODY_SECONDS", seconds),
        Bound("time until a WebSocket is accepted", "serving/timeouts:HANDSHAKE_SECONDS", seconds),
        Bound("segments that a head or a body comes in", "serving/http:MAX_SEGMENTS"),
        Bound("chunks of a body", "serving/parser:MAX_CHUNKS"),
        Bound("sizes, extensions and trailers of its chunks", "serving/parser:FRAMING_BYTES", size),
        Bound("body of a request", "protocol/bounds:BODY_LIMIT", size),
        Bound("body of a form", "protocol/bounds:FORM_LIMIT", size),
        Bound("form of the staff's pages, or that signs in", "web/forms:SHORT_FORM", size),
        Bound("form in which a percent sign may stand for itself", "pages/form:_SMALL", size),
        Bound("parameters of a query", "web/validation:MAX_PARAMETERS"),
        Bound("elements of a JSON body", "web/validation:MAX_TOKENS"),
        Bound("proxies looked at in X-Forwarded-For and in Forwarded", "web/forwarding:MAX_HOPS"),
        Bound("characters of what Forwarded says of one proxy", "web/forwarding:MAX_ELEMENT"),
        Bound("codings looked at in Accept-Encoding", "pages/assets:MAX_CODINGS"),
        Bound("read and thrown away after the last answer", "serving/timeouts:LINGER_SECONDS", seconds),
    ],
    "Live connections": [
        Bound("message from a reader", "protocol/bounds:BODY_LIMIT", size),
        Bound("fragments of a message", "serving/detached:MAX_FRAGMENTS"),
        Bound("frames in ten seconds", "serving/detached:FRAMES_PER_INTERVAL"),
        Bound("segments in ten seconds", "serving/detached:SEGMENTS_PER_INTERVAL"),
        Bound("heard after the server's own close", "serving/websocket:LAST_BYTES", size),
        Bound("discussions opened by one address at once", "limits/openings:AT_ONCE"),
        Bound("discussions opened by one address, a second", "limits/openings:PER_SECOND"),
        Bound("addresses remembered for that", "limits/openings:MAX_ADDRESSES"),
        Bound("discussions kept warm without readers", "live/tuning:MAX_EMPTY_ROOMS"),
        Bound("readers that one instance may tell of", "bus/redis/wire:MAX_READERS"),
        Bound("readers told in all", "live/presence:MAX_READERS"),
        Bound("characters of a message of a desk's console", "push/looking:MAX_MESSAGE_CHARS"),
        Bound("time between two of them that are heeded", "push/looking:LEAST_SECONDS", seconds),
        Bound("people told of who look at comments of one desk", "push/looking:MAX_LOOKERS"),
        Bound("characters of their names and ids between instances", "bus/redis/wire:MAX_LOOK_CHARS"),
        Bound(
            "time between two looks at the database for unsigned messages", "live/tuning:UNVERIFIED_SECONDS", seconds
        ),
        Bound(
            "age at which a signed number of readers counts no more", "bus/redis/bus:MAX_CLOCK_SKEW_SECONDS", seconds
        ),
    ],
    "What is sent and kept": [
        Bound("page of comments, replies, events, reports, feed", "protocol/bounds:PAGE_BYTES", size),
        Bound("output that clients have not read, all together, in MiB", "unread_mib"),
        Bound("output of one connection before it is paused", "serving/http:WRITE_BUFFER", size),
        Bound("time in which a reader has to take something", "live/tuning:STALL_SECONDS", seconds),
        Bound("what of an answer has to be read in that time", "serving/http:LEAST_READ", size),
        Bound("events and frames of all discussions in memory", "live/tuning:MAX_BYTES", size),
        Bound("events of one discussion in memory", "live/tuning:MAX_EVENTS_BYTES", size),
        Bound("frames of one discussion in memory", "live/tuning:MAX_FRAMES_BYTES", size),
        Bound("one message of events", "live/backlog:MAX_FRAME_BYTES", size),
        Bound("first pages in memory", "discussions/page_cache:KEPT_BYTES", size),
        Bound("keys whose discussions are remembered", "discussions/keys:KNOWN_KEYS"),
        Bound("words whose folded forms are remembered", "core/search_terms:KEPT"),
        Bound("lists of words kept ready", "discussions/words:KNOWN_LISTS"),
        Bound("chunks of text whose readings are remembered for the words of sites", "core/words/tokens:KNOWN_CHUNKS"),
        Bound("guests and addresses that are counted", "limits/memory:MAX_COUNTED"),
        Bound("rows read at once for a page", "store/listing:SLICE"),
        Bound("replies followed below a reply", "store/listing:BELOW"),
        Bound("events looked at for what moved between two pages", "store/listing:MOVES"),
        Bound("rows looked at for a page of held or reported comments", "store/queries/moderation:LOOKED"),
        Bound("rows looked at for a page of all comments at a desk", "store/queries/desk:LOOKED"),
        Bound("comments of an author that a desk counts", "store/queries/desk:COUNTED"),
        Bound("rows looked at for a page of sessions", "store/queries/staff:SESSIONS_LOOKED"),
        Bound("commands that wait for the database", "store/write_queue:QUEUE"),
        Bound("messages that wait for Redis", "bus/redis/tuning:MAX_PENDING_BYTES", size),
        Bound("kinds of trouble told apart in the log", "logs:MAX_CAUSES"),
        Bound("time between two log lines of one trouble", "logs:SPARED_SECONDS", seconds),
        Bound("questions of `tertulia doctor` remembered", "web/seen:MAX_QUESTIONS"),
        Bound("log lines about refused origins, a minute", "web/origins:REFUSALS_A_MINUTE"),
        Bound("characters of a refused origin in the log", "web/origins:ORIGIN_CHARACTERS"),
    ],
    "Writing": [
        Bound("comments and reports of one guest", "post_limit_guest"),
        Bound("comments and reports from one address", "post_limit_address"),
        Bound("edits and deletions of one guest", "edit_limit_guest"),
        Bound("edits and deletions from one address", "edit_limit_address"),
        Bound("votes of one guest", "vote_limit_guest"),
        Bound("votes from one address", "vote_limit_address"),
        Bound("previews from one address, a minute", "limits/posting:PREVIEWS_A_MINUTE"),
        Bound("searches from one address, a minute", "limits/posting:SEARCHES_A_MINUTE"),
        Bound("characters of a search", "discussions/search:LONGEST_QUERY"),
        Bound("words and phrases of a search", "core/search_terms:MOST_TERMS"),
        Bound("matches among which the best are looked for", "discussions/search:CONSIDERED"),
        Bound("words of a comment that can be found", "core/search_terms:MOST_WORDS"),
        Bound("attempts of one network to sign in as staff, in ten minutes", "limits/posting:STAFF_SIGN_INS"),
        Bound("ways to sign in that one of the staff attaches", "store/commands/staff_ways:WAYS"),
        Bound("codes by e-mail that one network asks for, an hour", "limits/posting:EMAIL_CODES_AN_HOUR"),
        Bound("codes by e-mail of one site, an hour", "limits/posting:EMAIL_CODES_OF_SITE"),
        Bound("codes to one address, an hour", "store/challenges:CODES_AN_HOUR"),
        Bound("codes to one address, a day", "store/challenges:CODES_A_DAY"),
        Bound("decisions of one moderator, a minute", "limits/posting:MODERATIONS_A_MINUTE"),
        Bound("hours of a ban that ends", "protocol/desk:MOST_BAN_HOURS"),
        Bound("decisions in one request", "protocol/desk:MAX_DECISIONS"),
        Bound("characters of a note about a comment", "protocol/requests:NOTE_LENGTH"),
        Bound("time between two events of votes on one comment", "discussions/voting:VOTE_SECONDS", seconds),
        Bound("characters of a comment", "core/text:TEXT_LENGTH"),
        Bound("steps of reading one text", "core/markdown:MAX_STEPS"),
        Bound("characters that are read on the event loop", "discussions/content:SLOW_TEXT"),
        Bound("document tree of a comment", "core/documents:TREE_BYTES", size),
        Bound("characters of a name", "core/text:NAME_LENGTH"),
        Bound("places of such words that are told of one comment", "discussions/words:MOST_FINDINGS"),
        Bound("words of a site that are not said there", "core/words/entries:ENTRIES"),
        Bound("programs of a site that are asked about each comment", "store/commands/hooks:MOST_HOOKS"),
        Bound("time of each of them", "core/hooks:MOST_SECONDS", seconds),
        Bound("its answer", "outgoing/client:LARGEST", size),
        Bound("comments about which they are asked at once", "hooks/checking:AT_ONCE"),
        Bound("time of one that is asked before something is sent", "hooks/nudging:SECONDS", seconds),
        Bound("failures in a row after which one is left alone", "core/hooks:FAILURES"),
        Bound("time until it is tried again", "core/hooks:PROBE_SECONDS", seconds),
        Bound("time in which a desk of whoever is signed out ends", "push/desk:WATCH_SECONDS", seconds),
        Bound("time until a new moderator's name is nobody else's", "discussions/names:FRESH_SECONDS", seconds),
    ],
    "Secrets and traces": [
        Bound("a guest's token", "identity/tokens:GUEST_DAYS", days),
        Bound("time in which a repeated post is given its guest's token", "identity/tokens:REPEAT_HOURS", hours),
        Bound("a token that a site signs", "identity/compact:TOKEN_BYTES", size),
        Bound("its life, unless its issuer may make it longer", "identity/assertions:LIFE_SECONDS", seconds),
        Bound("its life at most", "identity/assertions:LONGEST_LIFE_SECONDS", seconds),
        Bound("its issuer's clock ahead of ours", "identity/assertions:AHEAD_SECONDS", seconds),
        Bound("arrays and objects within one another in what is signed", "core/strict_json:DEPTH"),
        Bound("keys of one issuer", "identity/keys:MOST_KEYS"),
        Bound("time between two requests for keys nobody knows", "identity/key_address:AGAIN_SECONDS", seconds),
        Bound("time of such a request", "outgoing/key_sets:SECONDS", seconds),
        Bound("a link to sign in as staff", "store/commands/staff:INVITATION_HOURS", hours),
        Bound("a session of staff that is not used", "store/commands/staff:IDLE_HOURS", hours),
        Bound("a session of staff at most", "store/commands/staff:STAFF_DAYS", days),
        Bound("a provider's ID token", "identity/id_tokens:ID_TOKEN_BYTES", size),
        Bound("its age, and its provider's clock behind ours", "identity/id_tokens:OLD_SECONDS", seconds),
        Bound("its provider's clock ahead of ours", "identity/id_tokens:AHEAD_SECONDS", seconds),
        Bound("time of each request to a provider", "people/providers/asking:SECONDS", seconds),
        Bound("time of all that one sign-in asks of it", "people/signing_in:ANSWER_SECONDS", seconds),
        Bound("time that somebody may be at a provider", "people/signing_in:WAY_SECONDS", seconds),
        Bound("time until a code has to be a session", "people/signing_in:CODE_SECONDS", seconds),
        Bound("a code by e-mail", "store/challenges:CODE_SECONDS", seconds),
        Bound("its digits", "people/email_codes:DIGITS"),
        Bound("wrong guesses of it", "store/challenges:TRIES"),
        Bound("wrong guesses of all codes to one address, a day", "store/challenges:TRIES_A_DAY"),
        Bound("wrong guesses of all codes of a site, an hour", "store/challenges:WRONG_CODES_OF_SITE"),
        Bound("time of sending one", "outgoing/mail:SECONDS", seconds),
        Bound("log lines about failed sign-ins, a minute", "people/signing_in:LINES_A_MINUTE"),
        Bound("deleted text in SQLite's write-ahead log", "store/erasing:ERASE_SECONDS", seconds),
    ],
    "Operating": [
        Bound("time of an answer of `/readyz`", "web/readiness:READY_SECONDS", seconds),
        Bound("time of a name's look-up", "resolving:LOOKUP_TIMEOUT", seconds),
        Bound("file of an import", "transfer/format:FILE_BYTES", size),
        Bound("memory that an import leaves to others", "transfer/memory:RESERVE", size),
        Bound("rows that export and check hold", "store/streaming:FETCH"),
        Bound("comments that check compares at once", "checks/log:SLICE"),
    ],
}

GUARDED = (
    "serving/*",
    "web/*",
    "push/*",
    "limits/*",
    "live/*",
    "discussions/*",
    "identity/*",
    "protocol/*",
    "core/*",
    "core/words/*",
    "staff/*",
)
"""Where a stranger's input comes by first."""
NO_BOUNDS = {
    "core/search_terms": {"LONGEST_WORD", "SNIPPET"},  # within MOST_WORDS and the text
    "core/documents": {"INLINE_LEVELS"},  # within TREE_BYTES
    "core/markdown": {"BLOCK_LEVELS"},  # likewise
    "core/keys": {"KEY_LENGTH", "ADDRESS_LENGTH"},  # told by docs/protocol.md
    "discussions/posting": {"BROWSER_LENGTH"},  # where a check wants it
    "core/hooks": {"LABELS", "LABEL_LENGTH", "NOTE_LENGTH"},  # told by docs/hooks.md
    "core/strict_json": {"LARGEST_WHOLE"},
    "core/text": {"TITLE_LENGTH", "URL_LENGTH"},  # likewise
    "core/words/entries": {"ENTRY_LENGTH", "ENTRY_WORDS", "NOTE_LENGTH", "PART_LENGTH"},  # told by docs/moderating.md
    "core/words/tokens": {"LONG_CHUNK", "MOST_SPELLED"},  # within the text
    "discussions/page_cache": {"ENTRY_BYTES"},
    "discussions/idempotency_keys": {"PAGE", "PAUSE_SECONDS", "AGAIN_SECONDS", "OVERLAP_MILLISECONDS"},
    "discussions/badges": {"FRESH_SECONDS"},
    "discussions/sites": {"FRESH_SECONDS"},
    "discussions/words": {"FRESH_SECONDS"},
    "discussions/voting": {"BALLOTS"},
    "identity/assertions": {"SUBJECT_LENGTH", "MOST_TRUST"},  # within TOKEN_BYTES
    "identity/id_tokens": {"SUBJECT_LENGTH"},  # within ID_TOKEN_BYTES
    "identity/issuers": {"FRESH_SECONDS"},
    "identity/keys": {"SECRET_BYTES"},
    "identity/key_address": {"KEPT_SECONDS", "STALE_SECONDS"},
    "identity/tokens": {"RENEW_DAYS", "AHEAD_SECONDS", "TOKEN_LENGTH"},
    "limits/shared": {
        "REDIS_TIMEOUT",
        "RETRY_SECONDS",
        "AT_ONCE",
        "PROOFS_A_SECOND",
        "MAX_KEY_BYTES",
        "PROVEN_SECONDS",
    },
    "live/frames": {"WINDOW_BITS"},
    "live/backlog": {"EVENT_OVERHEAD", "ENCODINGS", "FROM_STORE"},
    "live/room": {"READS"},
    "live/summary": {"SHOWN"},
    "live/tuning": {"SLICE", "TICK_SECONDS", "CALM_SECONDS", "WRITING_SHOWN_SECONDS", "MAX_EVENTS", "MAX_FRAMES"}
    | {"READERS_SECONDS", "PEERS_SECONDS", "REPEAT_SECONDS", "EXPIRY_SECONDS", "REQUESTS_PER_SECOND"}
    | {"HOUSEKEEPING_SECONDS", "RECONCILE_SECONDS", "DEGRADED_SECONDS", "GRACE_SECONDS"},
    "protocol/bounds": {"HEARTBEAT_SECONDS", "EVENTS_PAGE", "WRITING_SECONDS"},
    "push/looking": {"LOOKING_SECONDS"},
    "push/queued": {"HIGH_BYTES", "LOW_BYTES", "CLOSE_SECONDS"},
    "serving/accepting": {"PAUSE_SECONDS", "MAX_PAUSE_SECONDS", "REPORT_SECONDS"},
    "serving/heads": {"METHOD_LETTERS", "LENGTH_DIGITS"},
    "serving/http": {"READ_BYTES", "LINGER_PAUSE"},
    "serving/parser": {"SLICE"},
    "serving/listening": {"BACKLOG", "UNACKNOWLEDGED_MILLISECONDS"},
    "serving/server": {"LOOK_SECONDS", "ACCEPT_TURNS"},
    "serving/timeouts": {"CLOSE_SECONDS", "IDLE_SECONDS", "LAST_SECONDS"},
    "core/rules": {
        *("KNOWN_RULES", "FIRST_MOST", "HIDE_MOST", "EDIT_MOST"),  # of what an owner sets
        *("FREE_LINKS", "KNOWN_HOURS", "KNOWN_LAST"),  # what is beyond waits for a moderator
    },
    "discussions/moderation": {"LAST_YEAR"},
    "discussions/site_rules": {"BATCH", "SECONDS"},
    "serving/unread": {"MIB", "LOOK_SECONDS", "RELIEF", "REPORT_SECONDS"},
    "serving/detached": {"WRITE_BUFFER", "INTERVAL_SECONDS", "SLICE"},
    "staff/log": {"LINES"},
    "web/client_address": {"UNREADABLE_SECONDS"},
    "web/middleware": {"PREFLIGHT_SECONDS"},
    "web/readiness": {"BUSY_SECONDS", "MAX_ABANDONED"},
    "web/seen": {"QUESTION_SECONDS"},
    "web/validation": {"LARGEST_NUMBER"},
}
"""Numbers that bound nothing a stranger gives, or only within one of the bounds above."""


def unlisted() -> Iterator[str]:
    """``module:NAME`` of the numbers of guarded modules about which nothing is said."""
    listed = {bound.where for group in BOUNDS.values() for bound in group}
    for pattern in GUARDED:
        for file in sorted(ROOT.glob(f"{pattern}.py")):
            module = file.relative_to(ROOT).with_suffix("").as_posix()
            for name in NUMBER.findall(file.read_text("utf-8")):
                if f"{module}:{name}" not in listed and name not in NO_BOUNDS.get(module, ()):
                    yield f"{module}:{name}"
