"""Damage to files of any kind: what Hypothesis draws, and atheris steers by coverage."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from cachelint.model import PageContext, PageId
from support import damage, spellings, valid

Pages = list[tuple[bytes, PageContext]]
"""Pages that share the memory of one process, and where each is."""

_ODD = [*spellings.SCALARS, *spellings.STRANGE, *spellings.INSERTED, *damage.PIECES]
_BRACKETS = [("[", "]"), ("{a: ", "}"), ('{"a": ', "}"), ("- ", ""), ("'", "'"), ('"', '"'),
             ("# ", "\n"), ("\n", "\n"), ("!!str ", ""), ("&a ", " *a")]
_ENDS = ["\n", "\r\n", "\r", "\x85", "\u2028"]


def _respell(token: str, how: int) -> str:
    """Write a string, number or word in another way, which may mean something else."""
    word = token.strip("\"'")
    escaped = "".join(f"\\u{ord(each):04x}" for each in word if ord(each) < 0x10000)
    return [word, f'"{word}"', f"'{word}'", f'"{escaped}"', json.dumps(word), f"{word}.0",
            f"0x{word}", f"{word}_", word.upper(), f"|-\n      {word}", f"? {word}"][how]


@st.composite
def damaged(draw: st.DrawFn, text: str, others: Sequence[str]) -> str:
    """Cut, join, escape, re-spell, reorder, nest or repeat parts of a file, a few times."""
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3, 4]))):
        spans = [match.span() for match in damage.TOKEN.finditer(text)] or [(0, 0)]
        first = draw(st.integers(0, len(spans) - 1))
        # most damage is small, some takes a large part of the file
        size = draw(st.integers(0, 3) | st.integers(0, len(spans) - 1))
        last = min(first + size, len(spans) - 1)
        (start, end), stop = spans[first], spans[last][1]
        part = text[start:stop]
        way = draw(st.sampled_from(
            ["cut", "insert", "join", "respell", "swap", "nest", "repeat", "ends", "byte"]))
        if way == "cut":
            part = ""
        elif way == "insert":
            part = draw(st.sampled_from(_ODD)) + part
        elif way == "join":
            other = draw(st.sampled_from([text, *others]))
            at = draw(st.integers(0, len(other)))
            part = other[at : at + draw(st.integers(0, 400))] + draw(st.sampled_from([part, ""]))
        elif way == "respell":
            part = _respell(text[start:end], draw(st.integers(0, 10))) + text[end:stop]
        elif way == "swap":
            middle = spans[(first + last) // 2][1]
            part = text[middle:stop] + text[start:middle]
        elif way == "nest":
            opening, closing = draw(st.sampled_from(_BRACKETS))
            number = draw(st.sampled_from([1, 1, 1, 2, 60, 2000]))
            part = opening * number + part + closing * number
        elif way == "repeat":
            part *= draw(st.sampled_from([2, 2, 2, 3, 50, 1000]))
            part = part[:200_000]
        elif way == "ends":
            part = part.replace("\n", draw(st.sampled_from(_ENDS)))
        else:
            part = draw(st.characters()) + part
        text = text[:start] + part + text[stop:]
    return text


def as_bytes(text: str) -> bytes:
    """Encode a string; half a character of UTF-16 becomes bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogatepass")


_IN_BLOCKS = "\n".join([
    "---", "# by hand", f'title: "{valid.PACKAGE}"', "layout: cache",
    f"categories: [package, {valid.TAG}]", "meta:",
    *(f"  {key}:" + ("".join(f"\n  - {item}  # kept" for item in value)
                     if isinstance(value, list) else f" {json.dumps(value)}")
      for key, value in valid.meta(num_specs=3).items()),
    *(line for line in valid.lines().values() if line.startswith("spec_details")), "---"])
"""A page with comments and a stale `meta` in block form: it is edited in place."""

_SEEDS = [valid.PAGE, valid.TARBALL_PAGE, valid.LEGACY, _IN_BLOCKS,
          valid.page(valid.meta(num_specs=3, stacks=["root"])),
          valid.page(valid.meta(versions=["0"]), valid.tarball_specs(0, stacks=["root", "e4s"]))]


@st.composite
def pages(draw: st.DrawFn) -> Pages:
    """Make pages that have much in common: valid ones, and some with damage."""
    if draw(st.booleans()):
        return draw(damage.similar_pages())
    seed = draw(st.sampled_from(_SEEDS) | st.integers(0, 2**31))
    tag = valid.TAG
    if isinstance(seed, int):
        seed, tag = spellings.make_page(seed)
    listed = draw(st.sampled_from([None, frozenset({"e4s", "root"})]))
    context = PageContext(PageId(tag, valid.PACKAGE), listed)
    made: Pages = []
    for _ in range(draw(st.integers(1, 2))):
        made.append((as_bytes(draw(damaged(seed, _SEEDS))), context))
    return made


def damaged_files(files: dict[str, str]) -> st.SearchStrategy[dict[str, bytes]]:
    """Make files by path, and damage one or two of them."""
    @st.composite
    def make(draw: st.DrawFn) -> dict[str, bytes]:
        made = {name: as_bytes(text) for name, text in files.items()}
        for name in draw(st.lists(st.sampled_from([*files]), min_size=1, max_size=2)):
            made[name] = as_bytes(draw(damaged(files[name], [*files.values()])))
        return made

    return make()
