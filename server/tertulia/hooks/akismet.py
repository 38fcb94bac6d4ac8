"""Akismet, a service that knows spam: https://akismet.com/developers/detailed-docs/comment-check/

Its verdict is spam or not. What moderators decide otherwise it is taught, so that it errs less at this site. Address
and browser of whoever wrote go along where the site has switched that on, and only there they are kept at all.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

from tertulia.core.hooks import NOTE_LENGTH, Judgement, Verdict
from tertulia.hooks.asking import HookError, Question, Secrets, post
from tertulia.identity.sealing import SealError, Sealing
from tertulia.outgoing import Outgoing, Reply
from tertulia.protocol import timestamp
from tertulia.store.hooks import Hook

ADDRESS = "https://rest.akismet.com"
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Accept": "text/plain"}
_DISCARD = "discard"
"""What it says in a header of what is so surely spam that nobody needs to see it."""
_THANKS = b"thanks"
"""How it answers whoever teaches it."""


class Akismet:
    """``blog`` of a hook is the front page of the site; its secret is the key that Akismet gave."""

    def __init__(self, outgoing: Outgoing, secrets: Secrets, sealing: Sealing) -> None:
        self._outgoing = outgoing
        self._secrets = secrets
        self._sealing = sealing

    async def ask(self, hook: Hook, question: Question, seconds: float) -> Judgement:
        reply = await self._post(hook, "comment-check", question, seconds)
        match reply.body.strip():
            case b"false":
                return Judgement(Verdict.show)
            case b"true":
                is_blatant = reply.headers.get("x-akismet-pro-tip", "") == _DISCARD
                return Judgement(Verdict.spam, labels=(_DISCARD,) if is_blatant else ())
        raise HookError(f"Akismet does not say whether it is spam: {_help(reply)}")

    async def teach(self, hook: Hook, question: Question, seconds: float, *, is_spam: bool) -> None:
        """That it is spam, or is not. Raises HookError."""
        reply = await self._post(hook, "submit-spam" if is_spam else "submit-ham", question, seconds)
        if not reply.body.strip().lower().startswith(_THANKS):
            raise HookError(f"Akismet did not take it: {_help(reply)}")

    async def _post(self, hook: Hook, what: str, question: Question, seconds: float) -> Reply:
        fields = {"api_key": self._secrets.of(hook) or "", "blog": str(hook.config.more.get("blog", ""))}
        body = urlencode(fields | self._told(question)).encode("ascii")
        return await post(self._outgoing, f"{hook.config.url.rstrip('/')}/1.1/{what}", body, _FORM, seconds)

    def _told(self, question: Question) -> dict[str, str]:
        comment, discussion = question.about.comment, question.about.discussion
        told = {
            "permalink": discussion.url,
            "comment_type": "comment" if comment.parent_id is None else "reply",
            "comment_author": comment.author.name,
            "comment_content": comment.text,
            "comment_date_gmt": timestamp(comment.created_at),
            "blog_charset": "UTF-8",
        }
        if question.is_test:
            told["is_test"] = "1"
        return told | self._origin(question.about.origin)

    def _origin(self, sealed: str | None) -> dict[str, str]:
        """Raises HookError."""
        if sealed is None:
            return {}
        try:
            address, browser = json.loads(self._sealing.opened(sealed))
        except SealError as error:
            raise HookError(f"The address cannot be read: {error}.") from error
        return {"user_ip": address, "user_agent": browser}


def _help(reply: Reply) -> str:
    said = reply.headers.get("x-akismet-debug-help") or reply.body[:NOTE_LENGTH].decode("utf-8", "replace")
    return repr(said[:NOTE_LENGTH])
