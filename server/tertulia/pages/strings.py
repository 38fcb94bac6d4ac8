"""What the pages say, in each language. Both catalogues have the same keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plural:
    """A message in two forms, chosen by ``n``; a language with one form has plain text instead."""

    one: str
    other: str


Catalogue = Mapping[str, str | Plural]

EN: Catalogue = {
    "skip": "Skip to the text",
    "feed": "Comments",
    "no_articles": "Nothing has been published yet.",
    "newer_articles": "Newer articles",
    "older_articles": "Older articles",
    "comment_count": Plural("{n} comment", "{n} comments"),
    "share": "Share this post",
    "share_on": "Share on {where}",
    "copy_link": "Copy link",
    "copied": "Link copied",
    "by_email": "E-mail",
    "other_posts": "Other posts",
    "discussion": "Discussion",
    "discussed_page": "The page discussed here",
    "all_comments": "All comments [ {n} ]",
    "no_comments": "Nobody has said anything yet. You can be the first.",
    "no_comments_closed": "Nobody has said anything here.",
    "order": "Order of the comments",
    "oldest": "Oldest first",
    "newest": "Newest first",
    "top": "Most liked first",
    "from_start": "From the start",
    "more_comments": "More comments",
    "more_replies": "More replies to {name}",
    "one_thread": "One thread",
    "whole_discussion": "The whole discussion",
    "comment_by": "Comment by {name}, {at}",
    "moderator": "moderator",
    "edited": "edited",
    "pinned": "pinned",
    "removed": "This comment was removed by a moderator.",
    "deleted": "This comment was deleted by its author.",
    "replying_to": "replying to",
    "earlier_comment": "an earlier comment",
    "someone": "someone",
    "votes_up": Plural("{n} like", "{n} likes"),
    "votes_down": Plural("{n} dislike", "{n} dislikes"),
    "reply": "Reply",
    "reply_to": "Reply to {name}",
    "your_comments": "Your comments",
    "write_comment": "Write a comment",
    "you_reply_to": "You are replying to",
    "cancel_reply": "Do not reply to this comment",
    "name": "Name",
    "text": "Text",
    "text_help": "*emphasis*, **strong**, > quote, - list and links are understood.",
    "send": "Send",
    "held_mode": "Comments appear here once a moderator has approved them.",
    "waiting": "Thank you. Your comment will appear once a moderator has approved it.",
    "closed": "The discussion is closed. It can still be read.",
    "problem.name": "The name cannot be used like this: {detail}",
    "problem.no_name": "Please give a name.",
    "problem.long_name": "The name is too long.",
    "problem.text": "The text cannot be used like this: {detail}",
    "problem.empty": "Please write something first.",
    "problem.too_long": "The text is too long: at most 10,000 characters fit.",
    "problem.too_large": "That was too much at once: at most 10,000 characters fit.",
    "problem.closed": "The discussion has been closed meanwhile; nothing was posted.",
    "problem.bad_parent": "The comment you reply to can no longer be answered. You can post without replying to it.",
    "problem.rate_limited": Plural(
        "That was a lot in a short time. Please wait {n} second and send it again.",
        "That was a lot in a short time. Please wait {n} seconds and send it again.",
    ),
    "problem.other": "This could not be posted: {detail}",
    "error.404": "There is nothing here",
    "error.404.detail": "The address may be mistyped, or what was here has been moved or taken away.",
    "error.other": "That did not work",
    "error.other.detail": "{detail}",
    "to_front_page": "Go to the front page",
}

VI: Catalogue = {
    "skip": "Đến phần nội dung",
    "feed": "Bình luận",
    "no_articles": "Chưa có bài nào được đăng.",
    "newer_articles": "Bài mới hơn",
    "older_articles": "Bài cũ hơn",
    "comment_count": "{n} bình luận",
    "share": "Chia sẻ bài viết",
    "share_on": "Chia sẻ lên {where}",
    "copy_link": "Sao chép liên kết",
    "copied": "Đã sao chép liên kết",
    "by_email": "E-mail",
    "other_posts": "Bài viết khác",
    "discussion": "Thảo luận",
    "discussed_page": "Trang được thảo luận",
    "all_comments": "Tất cả bình luận [ {n} ]",
    "no_comments": "Chưa có bình luận nào. Hãy bắt đầu thảo luận.",
    "no_comments_closed": "Chưa có bình luận nào.",
    "order": "Thứ tự bình luận",
    "oldest": "Cũ nhất trước",
    "newest": "Mới nhất trước",
    "top": "Nhiều lượt thích trước",
    "from_start": "Từ đầu",
    "more_comments": "Xem thêm bình luận",
    "more_replies": "Xem thêm trả lời cho {name}",
    "one_thread": "Một chuỗi trả lời",
    "whole_discussion": "Toàn bộ thảo luận",
    "comment_by": "Bình luận của {name}, {at}",
    "moderator": "điều hành viên",
    "edited": "đã sửa",
    "pinned": "đã ghim",
    "removed": "Bình luận đã bị điều hành viên gỡ.",
    "deleted": "Bình luận đã được người viết xóa.",
    "replying_to": "trả lời",
    "earlier_comment": "một bình luận trước đó",
    "someone": "một người",
    "votes_up": "{n} lượt thích",
    "votes_down": "{n} lượt không thích",
    "reply": "Trả lời",
    "reply_to": "Trả lời {name}",
    "your_comments": "Bình luận của bạn",
    "write_comment": "Viết bình luận",
    "you_reply_to": "Bạn đang trả lời",
    "cancel_reply": "Không trả lời bình luận này",
    "name": "Tên",
    "text": "Nội dung",
    "text_help": "Có thể dùng *nghiêng*, **đậm**, > trích dẫn, - danh sách và liên kết.",
    "send": "Gửi bình luận",
    "held_mode": "Bình luận sẽ hiện sau khi được điều hành viên duyệt.",
    "waiting": "Cảm ơn bạn. Bình luận sẽ hiện sau khi được duyệt.",
    "closed": "Thảo luận đã đóng. Bạn vẫn có thể đọc.",
    "problem.name": "Không dùng được tên này.",
    "problem.no_name": "Hãy cho biết tên.",
    "problem.long_name": "Tên quá dài.",
    "problem.text": "Không dùng được nội dung này.",
    "problem.empty": "Hãy viết nội dung trước.",
    "problem.too_long": "Nội dung quá dài: tối đa 10.000 ký tự.",
    "problem.too_large": "Gửi quá nhiều một lần: tối đa 10.000 ký tự.",
    "problem.closed": "Thảo luận vừa được đóng; bình luận chưa được đăng.",
    "problem.bad_parent": "Không còn trả lời được bình luận này. Bạn có thể đăng mà không trả lời.",
    "problem.rate_limited": "Bạn gửi quá nhanh. Hãy thử lại sau {n} giây.",
    "problem.other": "Chưa đăng được bình luận. Hãy thử lại.",
    "error.404": "Không có gì ở đây",
    "error.404.detail": "Có thể địa chỉ bị gõ nhầm, hoặc nội dung đã được chuyển đi hay gỡ xuống.",
    "error.other": "Chưa thực hiện được",
    "error.other.detail": "Hãy thử lại sau ít phút.",
    "to_front_page": "Về trang nhất",
}

CATALOGUES: Mapping[str, Catalogue] = {"en": EN, "vi": VI}


class Strings:
    """The messages of one language, called with a key; a language that is not here speaks the fallback's."""

    def __init__(self, language: str, fallback: str = "en") -> None:
        wanted = language.partition("-")[0]
        self.language = next(one for one in (wanted, fallback, "en") if one in CATALOGUES)
        self._catalogue = CATALOGUES[self.language]

    def __call__(self, key: str, **values: object) -> str:
        message = self._catalogue[key]
        if isinstance(message, Plural):
            message = message.one if values["n"] == 1 else message.other
        return message.format(**values)
