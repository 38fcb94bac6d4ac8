"""What is said on a busy evening: remarks of people who have read the article, and some that a moderator has to see."""

from __future__ import annotations

import random
from dataclasses import dataclass

NAMES = (
    *("Anna", "Ben", "Chi", "Dũng", "Elif", "Farid", "Giang", "Hà", "Inés", "Jonas", "Khánh", "Lan", "Minh", "Ngọc"),
    *("Olga", "Phương", "Quân", "Rosa", "Sơn", "Thảo", "Uyên", "Vinh", "Wei", "Xuân", "Yến", "Zoë"),
)
SUSPECT = ("casino", "sòng bạc", "cho vay nhanh")
"""Entries of the site's list: whatever has one waits."""
SHOUTING = "WAKE UP"
"""What the check has something against."""
_ENGLISH = (
    "I have lived here for thirty years, and nobody ever asked us.",
    "Has anyone seen the figures that this is based on?",
    "Good article. I would have liked to hear from the people who work there, too.",
    "It was the same story ten years ago, with another name.",
    "My neighbour sold her stall last spring, for exactly this reason.",
    "Who pays for it? The article does not say.",
    "I went there yesterday evening, and it was lovely. Go and see for yourselves.",
    "The bus does not even run after nine. Start with that.",
    "You can be for it and still ask who cleans up afterwards.",
    "Thank you for the map. I had not understood which street was meant.",
    "They should try it for one summer and then decide.",
    "This is the first time that I agree with the council on anything.",
)
_VIETNAMESE = (
    "Tôi sống ở đây ba mươi năm mà chưa ai hỏi ý kiến chúng tôi.",
    "Có ai biết số liệu này lấy từ đâu không?",
    "Bài viết hay. Giá mà có thêm lời của những người bán hàng ở đó.",
    "Mười năm trước cũng đã nói chuyện này rồi, chỉ khác tên gọi.",
    "Tối qua tôi có ghé, đông mà vui. Mọi người nên đến xem.",
    "Xe buýt sau chín giờ tối là không còn chuyến nào. Lo việc đó trước đã.",
    "Ai sẽ trả tiền cho việc này? Bài báo không nói.",
    "Cảm ơn tòa soạn đã kèm bản đồ, giờ tôi mới hiểu là con đường nào.",
    "Cứ làm thử một mùa hè rồi hãy quyết định.",
    "Ủng hộ thì ủng hộ, nhưng rác thì ai dọn?",
)
_HELD = (
    "Bored tonight? There is a casino where everybody wins.",
    "Cần tiền gấp? Cho vay nhanh, không cần giấy tờ.",
    "Ai chơi sòng bạc trên mạng thì nhắn tôi.",
    "All about it at https://one.example and https://two.example, and do not let them fool you.",
)
_BAD = (
    f"{SHOUTING}! Everybody who believes this is paid by them.",
    f"{SHOUTING}, people, this town is finished and you are all cowards.",
)
_NOTES = ("", "", "This is an advertisement.", "He writes this under every article.", "Xúc phạm người khác.")
REASONS = ("spam", "abuse", "off_topic", "false", "other")


@dataclass(frozen=True, slots=True)
class Shares:
    """Of a hundred comments, so many wait, are found by the check, answer another, and are reported."""

    held: float = 0.08
    bad: float = 0.02
    replies: float = 0.35
    reported: float = 0.05


class Remarks:
    """The same evening for the same seed."""

    def __init__(self, seed: int, shares: Shares = Shares()) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._shares = shares
        self._number = 0

    def name(self) -> str:
        return self._random.choice(NAMES)

    def text(self) -> str:
        """Never the same twice, as no two people say the same."""
        self._number += 1
        at = self._random.random()
        if at < self._shares.held:
            said = self._random.choice(_HELD)
        elif at < self._shares.held + self._shares.bad:
            said = self._random.choice(_BAD)
        else:
            said = " ".join(self._random.sample(self._random.choice((_ENGLISH, _VIETNAMESE)), 2))
        return f"{said} ({self._number})"

    def report(self) -> dict[str, str]:
        """A report, without a note where nothing is said."""
        note = self._random.choice(_NOTES)
        return {"reason": self._random.choice(REASONS), **({"note": note} if note else {})}

    def is_reply(self) -> bool:
        return self._random.random() < self._shares.replies

    def is_reported(self) -> bool:
        return self._random.random() < self._shares.reported

    def one_of(self, count: int) -> int:
        return self._random.randrange(count)

    def pause(self, seconds: float) -> float:
        """Until the next one, where one comes in so many seconds on average."""
        return self._random.expovariate(1 / seconds)
