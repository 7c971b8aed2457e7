"""Measure the usual way: ruamel.yaml reads a page, jsonschema validates it.

    python benchmarks/rivals.py CATALOG

Takes 60 pages evenly from a catalog that `make_catalog.py canonical` made, and prints the processor
time a page, without the start of Python.
"""

from __future__ import annotations

import json
import sys
import time
from io import BytesIO
from pathlib import Path

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

SCHEMA = Path(__file__).parent.parent / "schemas" / "page-current.schema.json"


def main() -> None:
    """Read and validate each page."""
    found = sorted(Path(sys.argv[1]).glob("_cache/*/*/specs.md"))
    pages = [page.read_bytes() for page in found[:: max(1, len(found) // 60)][:60]]
    validator = Draft202012Validator(json.loads(SCHEMA.read_bytes()))
    start = time.process_time()
    for raw in pages:
        validator.validate(YAML(typ="safe", pure=True).load(BytesIO(raw.removesuffix(b"---"))))
    print(f"{(time.process_time() - start) * 1e6 / len(pages):,.0f} µs a page")


if __name__ == "__main__":
    main()
