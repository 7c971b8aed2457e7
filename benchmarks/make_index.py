"""Make a build-cache index of any size, as Spack 1.0 writes one; `read_index.py` measures with it.

    python benchmarks/make_index.py --out index.json [--installs 60000] [--seed 1]

Packages are those of `make_catalog.py`. Each install depends on some seventy earlier ones, so that
60,000 installs with their graph have about 500 MB. The same arguments give the same bytes. Nothing
here imports cachelint.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from packages import Node, invent_packages

FLAGS = ("cflags", "cppflags", "cxxflags", "fflags", "ldflags", "ldlibs")


def make_installs(count: int, seed: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield installs with their hashes, each after those it depends on."""
    chance = random.Random(f"index/{seed}")
    known: list[tuple[str, str]] = []
    """Name and hash of every install so far."""
    compilers: dict[str, str] = {}
    for node in islice(_invent_nodes(seed), count):
        if node.compiler != "none" and node.compiler not in compilers:
            name, version = node.compiler.split("@")
            key = compilers[node.compiler] = _hash(seed, len(known))
            known.append((name, key))
            yield key, _install(key, node, name, version, [], is_external=True)
        number = int(chance.triangular(0, 130, 70))
        edges = [_edge(*known[int(chance.random() * len(known))], ["build", "link"])
                 for _ in range(min(number, len(known)))]
        if node.compiler != "none":
            name = node.compiler.split("@")[0]
            edges.insert(0, _edge(name, compilers[node.compiler], ["build"], ["c", "cxx"]))
        key = _hash(seed, len(known))
        known.append((node.package, key))
        yield key, _install(key, node, node.package, node.version, edges)


def _invent_nodes(seed: str) -> Iterator[Node]:
    number = 0
    while True:  # there are not so many names
        yield from invent_packages(f"{seed}/{number}", 2000)
        number += 1


def _hash(seed: str, number: int) -> str:
    digest = hashlib.sha1(f"{seed}/{number}".encode()).digest()
    return base64.b32encode(digest).decode().lower()


def _edge(name: str, key: str, deptypes: list[str], virtuals: list[str] | None = None
          ) -> dict[str, Any]:
    return {"name": name, "hash": key,
            "parameters": {"deptypes": deptypes, "virtuals": virtuals or []}}


def _install(key: str, node: Node, name: str, version: str, edges: list[dict[str, Any]], *,
             is_external: bool = False) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "name": name, "version": version,
        "arch": {"platform": node.host.platform, "platform_os": node.host.os,
                 "target": node.host.target},
        "namespace": "builtin", "parameters": _parameters(node),
        "package_hash": _hash(name, 0) + "====",
    }
    if is_external:
        spec["external"] = {"path": "/usr", "module": None, "extra_attributes": {}}
    if edges:
        spec["dependencies"] = edges
    spec |= {"annotations": {"original_specfile_version": 5}, "hash": key}
    return {"spec": spec, "ref_count": 0, "in_buildcache": not is_external}


def _parameters(node: Node) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for variant in node.variants:
        name, is_valued, value = variant.partition("=")
        if not is_valued:
            parameters[variant[1:]] = variant[0] == "+"
        elif name.endswith(":"):
            parameters[name[:-1]] = value.strip("'").split(",")
        else:
            parameters[name] = value
    return parameters | {flag: [] for flag in FLAGS}


def write_index(path: Path, count: int, seed: str = "1") -> None:
    """Write an index of a number of installs, without compilers."""
    with path.open("w", encoding="ascii", newline="") as file:
        file.write('{"database":{"version":"8","installs":{')
        for number, (key, install) in enumerate(make_installs(count, seed)):
            file.write("," if number else "")
            file.write(f'"{key}":{json.dumps(install, separators=(",", ":"))}')
        file.write("}}}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--installs", type=int, default=60_000)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    write_index(options.out, options.installs, options.seed)


if __name__ == "__main__":
    main()
