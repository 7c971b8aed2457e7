"""What the usual way costs: ruamel.yaml reads the front matter, jsonschema validates it.

    python benchmarks/rivals.py SCHEMA FILE...

The files are front matter alone, as YAML. Prints the seconds for all of them, without the start of
Python and without the compilation of the schema.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML


def main() -> None:
    """Read and validate each file."""
    schema, *files = map(Path, sys.argv[1:])
    validator = Draft202012Validator(json.loads(schema.read_bytes()))
    start = time.perf_counter()
    for file in files:
        data = YAML(typ="safe", pure=True).load(file)
        for error in validator.iter_errors(data):
            sys.exit(f"{file}: {error.message}")
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
