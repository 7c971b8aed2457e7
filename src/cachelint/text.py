"""Text from pages and file names, made fit to be shown."""

from __future__ import annotations

import re

# control characters, lone surrogates, line and paragraph separators, what turns or hides text, and
# two that are no characters and that XML forbids
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


_SURROGATES = re.compile("[\ud800-\udfff]")


def inert(text: str) -> str:
    """Escape every character that could steer a terminal, hide, or turn the text around it.

    `##[` is broken up besides, which a runner of GitHub Actions obeys anywhere in a line.
    """
    if not (text.isascii() and text.isprintable()):
        text = _UNSAFE.sub(_escape, text)
    return text.replace("##[", "#\\x23[")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def encodable(text: str) -> str:
    """Escape lone surrogates alone, so that ``text`` can be written as UTF-8."""
    return _SURROGATES.sub(_escape, text)


def clip(text: str, width: int) -> str:
    """Cut ``text`` to ``width`` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
