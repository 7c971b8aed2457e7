"""Names of specs for people."""

from __future__ import annotations

import re

from cachelint.document.page import Page
from cachelint.text import clip, ordinal

_HASH = re.compile(r"[a-z2-7]{32}").fullmatch


def name_spec(page: Page, index: int) -> str:
    """Name a spec as Spack does, `zlib@1.3.1/2c44nm4`; by position where its values are invalid."""
    spec = page.specs[index]
    if isinstance(spec, dict):
        dag_hash, versions = spec.get("hash"), spec.get("versions")
        title = page.data.get("title")
        if (isinstance(dag_hash, str) and _HASH(dag_hash) and isinstance(title, str)
                and isinstance(versions, list) and versions and isinstance(versions[0], str)):
            return clip(f"{title}@{versions[0]}", 50) + f"/{dag_hash[:7]}"
    return f"the {ordinal(index + 1)} spec"
