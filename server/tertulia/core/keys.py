"""What a discussion is called: the one form of a page's address, whoever writes it and in whichever way.

    key as given ──▶ an http(s) address? ── no ──▶ NFC without blanks around it, otherwise as it is
                           │ yes
                           ▼
    https ─▶ path ─▶ what a copy shows ─▶ endings ─▶ query ─▶ fragment ─▶ at most KEY_LENGTH

The form is what people can read: escapes are decoded (RFC 3986, 6.2.2.2, and RFC 3987) where the character can be seen
and means the same, and NFC. It is its own canonical form, and depends on no version of Unicode that a server has.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote

KEY_LENGTH = 512
"""Code points of a key."""
ADDRESS_LENGTH = 8 * 1024
"""Code points of an address before it is made canonical; servers in between let as many bytes into a request's line."""

_DIGEST_LETTERS = 32  # 128 bits: nobody finds two addresses of one digest
_HOST_LENGTH = 255
_DEFAULT_PORTS = ("", "80", "443")
_ADDRESS = re.compile(r"(https?)://([^/?#\\]+)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(?:.*@)?(\[[^\]]*\]|[^:]*)(?::([0-9]{0,5}))?", re.DOTALL)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_ROUTE = re.compile(r"!?/.*[^/]", re.DOTALL)
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_CUT_ESCAPE = re.compile(r"%[0-9A-F]?$")
_PLAIN = re.compile(r"[A-Za-z0-9._~!$'()*,;:@-]*")
"""What stands for itself everywhere in an address; nearly every part of one is nothing else."""

_ALWAYS = '\\x00-\\x20"%<>\\\\^`{|}#'
_UNSEEN = (
    "\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800"
    "\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U0010ffff"
)
_IN_PATH = re.compile(f"[{_ALWAYS}{_UNSEEN}/?]")
_IN_NAME = re.compile(f"[{_ALWAYS}{_UNSEEN}&+=]")
_IN_VALUE = re.compile(f"[{_ALWAYS}{_UNSEEN}&+]")
_IN_ROUTE = re.compile(f"[{_ALWAYS}{_UNSEEN}]")

_INDEXES = frozenset({"index.html", "index.php"})
_AMP = "amp"
_CAMPAIGNS = ("utm_", "_x_tr_")
_TRACKING = frozenset(
    (
        # clicks: Meta, Google, Microsoft, Mailchimp, Instagram, Yandex, TikTok, X, LinkedIn, Pinterest
        *("fbclid", "gclid", "dclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "srsltid", "_ga", "_gl"),
        *("msclkid", "mc_cid", "mc_eid", "igshid", "igsh", "yclid", "ttclid", "twclid", "li_fat_id", "epik"),
        # mails: HubSpot, Marketo, Olytics, Vero
        *("_hsenc", "_hsmi", "mkt_tok", "oly_anon_id", "oly_enc_id", "vero_id"),
        # other forms of the same page: AMP, and WordPress' form below a comment
        *("amp", "outputtype", "replytocom"),
    )
)
_CACHE_QUERY = frozenset({"amp_js_v", "amp_gsa", "amp_r", "usqp"})
_AMP_CACHE = re.compile(r"/[a-z]{1,3}/(s/)?(.+)", re.DOTALL)
_AMP_VIEWER = re.compile(r"/amp/(s/)?(.+)", re.DOTALL)
_GOOGLE = re.compile(r"(?:www\.)?google\.[a-z.]+")
_ARCHIVED = re.compile(r"/web/(?:[0-9*]+(?:[a-z]{2}_)?/)?(?:(https?):/+)?([^/]+\..+)", re.IGNORECASE | re.DOTALL)


class Step(NamedTuple):
    """What one rule made of a key, and why."""

    why: str
    key: str


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The parts of an http(s) address; ``host`` is ASCII in lower case, the others are as they were written.

    ``query`` and ``fragment`` are None where there is none. A user is never part of it.
    """

    scheme: str
    host: str
    port: str
    path: str
    query: str | None = None
    fragment: str | None = None

    def __str__(self) -> str:
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.site}{self.path}{query}{fragment}"

    @property
    def site(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port else "")

    @property
    def origin(self) -> str:
        """As a browser's Origin header has it (RFC 6454): without the default port of the scheme."""
        default = {"http": "80", "https": "443"}[self.scheme]
        return str(replace(self, port="" if self.port == default else self.port, path="", query=None, fragment=None))


def parse_address(text: str) -> PageAddress | None:
    """The parts of an absolute http(s) address, None for any other text; a backslash ends the host, as in browsers."""
    found = _ADDRESS.fullmatch(text)
    authority = found and _AUTHORITY.fullmatch(found[2])
    if not found or not authority:
        return None
    host, port = _ascii_host(authority[1]), authority[2] or ""
    if host is None or (port and not 0 < int(port) <= 65535):
        return None
    return PageAddress(found[1].lower(), host, port.lstrip("0"), found[3], found[4], found[5])


def canonical_key(key: str) -> str:
    """The form of a key that all its spellings share; of one that is no http(s) address NFC without blanks around it.

    It has at most KEY_LENGTH code points where ``key`` is an address, or no longer than that. Canonical forms are
    their own.
    """
    trimmed = unicodedata.normalize("NFC", key).strip()
    address = parse_address(trimmed)
    if address is None:
        return trimmed
    *_, (_why, form) = _followed(address)
    return _within(form)


def explained(key: str) -> list[Step]:
    """The way to the canonical form: a step for each rule that changed something, the last of them is the form."""
    trimmed = unicodedata.normalize("NFC", key).strip()
    steps = [Step("as given", key), Step("NFC, without blanks around it", trimmed)]
    address = parse_address(trimmed)
    if address is None:
        return _changing([*steps, Step("no http or https address: otherwise as it is", trimmed)], last=True)
    steps.append(Step("host in lower case and ASCII (IDNA), no user", str(address)))
    followed = list(_followed(address))
    steps += [Step(why, str(form)) for why, form in followed]
    whole = _within(followed[-1][1])
    return _changing([*steps, Step(f"at most {KEY_LENGTH} characters: a digest stands for the rest", whole)])


def _followed(address: PageAddress) -> Iterator[tuple[str, PageAddress]]:
    """The address after each rule, until none changes it: what one of them leaves may be another's."""
    before = None
    while address != before:
        before = address
        for why, rule in _RULES:
            address = rule(address)
            yield why, address


def _changing(steps: list[Step], *, last: bool = False) -> list[Step]:
    pairs = pairwise(steps)
    changing = [step for before, step in pairs if step.key != before.key or (last and step is steps[-1])]
    return [steps[0], *changing]


_UNRENDERED = re.compile(
    r"\{\{|\{%|\{#|<[%?]|[$#]\{|\[\[[^\]]*\]\]|(?<!\S)%(?:\(\w+\))?[sd](?!\S)"
    r"|(?<![\w./])@(?:Model|ViewBag|ViewData|item)[.\[]",
    re.IGNORECASE,
)
"""Marks of Jinja, Liquid, Handlebars, ERB, PHP, JavaScript, Ruby, Thymeleaf, printf and Razor that nothing replaced."""
_NO_VALUE = frozenset({"", "undefined", "null", "(null)", "<null>", "none", "nil", "<nil>", "nan"})
"""What languages write, in any case, for a value that was not there."""


def is_unrendered(text: str) -> bool:
    """Whether a key or a title is what a template left behind: a mark that nothing replaced, or no value as text."""
    trimmed = text.strip()
    is_object = trimmed.startswith("[object ")
    return trimmed.lower() in _NO_VALUE or is_object or _UNRENDERED.search(trimmed) is not None


def is_tracking(name: str) -> bool:
    """Whether a query parameter says where a reader came from, or in which form a page is shown, and not which page."""
    folded = name.lower()
    return folded in _TRACKING or folded.startswith(_CAMPAIGNS)


def parameters(query: str) -> Iterator[tuple[str, str]]:
    """The parameters of a query: the name that a program reads, and the text as it was written."""
    for written in query.split("&"):
        if written:
            yield _decoded(written.partition("=")[0].replace("+", " ")), written


# ---- hosts ----------------------------------------------------------------------------------------------


def _ascii_host(host: str) -> str | None:
    """A host as browsers send it (UTS 46, non-transitional), None for what none has."""
    if not 0 < len(host) <= _HOST_LENGTH:
        return None
    if host.startswith("["):
        try:
            return f"[{IPv6Address(host[1:-1])}]"
        except ValueError:
            return None
    mapped = _mapped(unquote(host)).lower().removesuffix(".")
    return mapped if len(mapped) <= _HOST_LENGTH and _HOST.fullmatch(mapped) else None


def _mapped(host: str) -> str:
    """Labels of other letters in Punycode; empty for what UTS 46 forbids."""
    if host.isascii():
        return host
    import idna  # its tables are 2 MiB, which only readers of such names need

    try:
        labels = idna.uts46_remap(host, std3_rules=False, transitional=False).split(".")
        return ".".join(one if one.isascii() else f"xn--{one.encode('punycode').decode()}" for one in labels)
    except (idna.IDNAError, UnicodeError):
        return ""


# ---- the rules ------------------------------------------------------------------------------------------


def _shown(address: PageAddress) -> PageAddress:
    """A copy in a cache, a translation or an archive stands for the page that it shows."""
    while found := parse_address(_original(address)):
        address = found  # what it shows is shorter, so there is an end
    return address


def _original(address: PageAddress) -> str:
    """The address of what a copy shows; empty where the address is of no copy that is known."""
    host, path = address.host, address.path
    query = "" if address.query is None else f"?{address.query}"
    if host == "cdn.ampproject.org" or host.endswith(".cdn.ampproject.org"):
        return _of_cache(_AMP_CACHE.fullmatch(path), address.query)
    if _GOOGLE.fullmatch(host):
        return _of_cache(_AMP_VIEWER.fullmatch(path), address.query)
    if host.endswith(".translate.goog"):
        return f"https://{_translated(host.removesuffix('.translate.goog'), address.query or '')}{path}{query}"
    if host == "web.archive.org" and (archived := _ARCHIVED.fullmatch(path)):
        return f"{archived[1] or 'https'}://{archived[2]}{query}"
    return ""


def _of_cache(found: re.Match[str] | None, query: str | None) -> str:
    if found is None:
        return ""
    kept = "&".join(written for name, written in parameters(query or "") if name not in _CACHE_QUERY)
    return f"https://{found[2]}" + (f"?{kept}" if kept else "")


def _translated(label: str, query: str) -> str:
    """The host that Google Translate wrote as one label: a dot as a hyphen, a hyphen as two.

    ``_x_tr_hp`` is the beginning of a long one, ``_x_tr_enc`` says which marks were put before it.
    """
    given = {name: _decoded(written.partition("=")[2]) for name, written in parameters(query)}
    label = given.get("_x_tr_hp", "") + label
    for mark in given.get("_x_tr_enc", "").split(","):
        label = label.removeprefix(f"{mark}-")
    return re.sub(r"\b-\b", ".", label).replace("--", "-")


def _https(address: PageAddress) -> PageAddress:
    port = "" if address.port in _DEFAULT_PORTS else address.port
    return replace(address, scheme="https", port=port)


def _path(address: PageAddress) -> PageAddress:
    """RFC 3986, 5.2.4; empty segments go, and with them the slash at the end."""
    kept: list[str] = []
    for segment in address.path.replace("\\", "/").split("/"):
        normal = _normal(segment, _IN_PATH)
        if normal == "..":
            del kept[-1:]
        elif normal not in ("", "."):
            kept.append(normal)
    return replace(address, path="".join(f"/{segment}" for segment in kept))


def _endings(address: PageAddress) -> PageAddress:
    segments = address.path.split("/")
    while len(segments) > 1:
        last = segments[-1]
        if last in _INDEXES or last == _AMP:
            segments.pop()
        elif last.endswith(f".{_AMP}") and last.removesuffix(f".{_AMP}").strip("."):
            segments[-1] = last.removesuffix(f".{_AMP}")
        else:
            break
    return replace(address, path="/".join(segments))


def _query(address: PageAddress) -> PageAddress:
    """Parameters of one name keep their order; a blank may be written in two ways there (HTML, forms)."""
    kept: list[tuple[str, str]] = []
    for _name, written in parameters(address.query or ""):
        name, sign, value = written.replace("+", "%20").partition("=")
        name = _normal(name, _IN_NAME)
        if not is_tracking(name):
            kept.append((name, sign + _normal(value, _IN_VALUE)))
    kept.sort(key=lambda parameter: parameter[0])
    return replace(address, query="&".join(name + rest for name, rest in kept) or None)


def _fragment(address: PageAddress) -> PageAddress:
    """A place in the page goes; ``#/…`` and ``#!/…`` are how programs of one page write the paths of many."""
    route = _normal(address.fragment or "", _IN_ROUTE).rstrip("/")
    return replace(address, fragment=route if _ROUTE.fullmatch(route) else None)


_RULES: tuple[tuple[str, Callable[[PageAddress], PageAddress]], ...] = (
    ("https, without a default port", _https),
    ("path without dots, empty segments and a slash at its end; escapes decoded where they can be read", _path),
    ("the page that a cache, a translation or an archive shows", _shown),
    ("without /index.html, /index.php, /amp and .amp", _endings),
    ("query without tracking parameters, the others by name", _query),
    ("without the fragment, but for routes such as #/path", _fragment),
)


# ---- characters -----------------------------------------------------------------------------------------


def _decoded(text: str) -> str:
    """Without escapes, in NFC; bytes that are no UTF-8 become halves of surrogate pairs."""
    if "%" in text:
        text = _ESCAPES.sub(lambda run: bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "surrogateescape"), text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _normal(text: str, escaped: re.Pattern[str]) -> str:
    """A part of an address with escapes for what ``escaped`` matches, and for nothing else but marks after an escape.

    A mark that stands after an ASCII letter of an escape would be composed with it.
    """
    if _PLAIN.fullmatch(text):
        return text
    kept: list[str] = []
    after_escape = True
    for character in _decoded(text):
        after_escape = bool(escaped.match(character) or (after_escape and unicodedata.combining(character)))
        kept.append(_escape(character) if after_escape else character)
    return "".join(kept)


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def _within(address: PageAddress) -> str:
    """The address, or where it is too long its beginning without query, and a digest of the whole."""
    whole = str(address)
    if len(whole) <= KEY_LENGTH:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_DIGEST_LETTERS]
    path = address.path or "/"
    start = f"{address.site}{path}"[: KEY_LENGTH - _DIGEST_LETTERS - 1]
    return f"{_CUT_ESCAPE.sub('', start)}~{digest}"
