"""Whether a MULTI message (NTCIP 1203) has room on a sign."""

from __future__ import annotations

import re

_TAG = re.compile(r"\[[^\[\]]*\]")


def pages_of(multi: str) -> list[list[str]]:
    """The text of a message: pages, and lines on them, without tags."""
    return [[_TAG.sub("", line) for line in re.split(r"\[nl\d?\]", page)] for page in re.split(r"\[np\]", multi)]


def misfit(multi: str, columns: int, rows: int, pages: int) -> str:
    """Why a message does not fit a sign of that many characters a line, lines a page and pages; empty when it does."""
    text = pages_of(multi)
    if len(text) > pages:
        return f"has {len(text)} pages, the sign shows {pages}"
    if (most := max(len(page) for page in text)) > rows:
        return f"has {most} lines on a page, the sign shows {rows}"
    longest = max((line for page in text for line in page), key=len)
    if len(longest) > columns:
        return f"the line {longest!r} has {len(longest)} characters, the sign shows {columns}"
    return ""
