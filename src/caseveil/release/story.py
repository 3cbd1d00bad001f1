"""A story: a view of the explorer that the steward has pinned, with a title and a paragraph. Public."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caseveil.errors import PlanError

TITLE, TEXT, VIEW = 120, 2_000, 2_000
"""Most characters of a title, a text and a view."""

MOST = 20
"""Most stories of one release."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MARKUP = re.compile(r"</?[A-Za-z][^>]*>|<!--")


@dataclass(frozen=True, kw_only=True)
class Story:
    """title: one line. text: a paragraph, shown as it is; line ends are allowed, markup is not. view: the part after
    '#' of the explorer's address, '' for the page as it opens. Raises PlanError.
    """

    title: str
    text: str
    view: str = ""

    def __post_init__(self) -> None:
        for name, most in (("title", TITLE), ("text", TEXT), ("view", VIEW)):
            value = getattr(self, name)
            if len(value) > most:
                raise PlanError(f"{name} ({len(value)} characters) must have at most {most}")
        for name in ("title", "text"):
            if not getattr(self, name).strip():
                raise PlanError(f"{name} ('') must say something")
            if _MARKUP.search(getattr(self, name)):
                raise PlanError(f"{name} must be plain text: the explorer shows tags such as <b> as they are")
        if _CONTROL.search(self.title):
            raise PlanError("title must be one line of text")
        if _CONTROL.search(self.text.replace("\n", "")):
            raise PlanError("text must be plain text: it holds a character that cannot be shown")
        if "#" in self.view:
            raise PlanError("view must be only what stands after '#' in the explorer's address")
        if _CONTROL.search(self.view) or any(letter.isspace() or letter in "<>\"`" for letter in self.view):
            raise PlanError(
                "view must be copied from the explorer's address, after '#': it holds a blank or a character that no "
                "address has"
            )

    def to_json(self) -> dict[str, str]:
        """A JSON object."""
        return {"title": self.title, "text": self.text, "view": self.view}

    @classmethod
    def from_json(cls, block: Mapping[str, object]) -> Story:
        """Inverse of `to_json`. Raises PlanError, KeyError, TypeError or AttributeError."""
        if set(block) != {"title", "text", "view"} or not all(isinstance(part, str) for part in block.values()):
            raise TypeError("a story is a title, a text and a view")
        return cls(title=str(block["title"]), text=str(block["text"]), view=str(block["view"]))


def check_stories(stories: Sequence[Story]) -> None:
    """Raise PlanError if there are more than a page can hold."""
    if len(stories) > MOST:
        raise PlanError(f"stories ({len(stories)}) must be at most {MOST}")
