"""Counts over the graph of installs: what `_data/meta.yaml` has of a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from cachelint.index.mapping import NO_COMPILER, Index, IndexSpec
from cachelint.model import CachelintError, NamedTuple
from cachelint.text import clip

_BLOCK = 16_384
"""For how many specs at once it is computed what they depend on: a bit each."""


class GraphCounts(NamedTuple):
    """How often compilers and parameters are in the graphs of all specs in the build cache."""

    compilers: Mapping[str, int]
    parameters: Mapping[str, int]
    """Only parameters that are set: neither false nor empty."""


def count_graphs(index: Index) -> GraphCounts:
    """Count the compilers and parameters of each spec and of all it depends on.

    What is not in the build cache, such as an external package, is not counted, nor is what
    only it depends on.

    Raises:
        CachelintError: The dependencies form a cycle.
    """
    order = _sort_dependents_first(index)
    compilers: Counter[str] = Counter()
    parameters: Counter[str] = Counter()
    for spec, count in zip(order, _count_dependents(order), strict=True):
        compilers[spec.compiler or NO_COMPILER] += count
        for name in spec.parameters:
            parameters[name] += count
    return GraphCounts(compilers, parameters)


def find_holes(index: Index) -> list[IndexSpec]:
    """Return the specs in the build cache that depend on one neither there nor external."""
    specs = index.specs
    usable = {key for key, spec in specs.items() if spec.in_buildcache or spec.is_external}
    return [spec for spec in specs.values()
            if spec.in_buildcache and not usable.issuperset(spec.dependencies)]


def _sort_dependents_first(index: Index) -> list[IndexSpec]:
    cached = {key: spec for key, spec in index.specs.items() if spec.in_buildcache}
    waiting = Counter(key for spec in cached.values() for key in set(spec.dependencies))
    ready = [spec for key, spec in cached.items() if not waiting[key]]
    order: list[IndexSpec] = []
    while ready:
        spec = ready.pop()
        order.append(spec)
        for key in set(spec.dependencies):
            waiting[key] -= 1
            if not waiting[key] and key in cached:
                ready.append(cached[key])
    if len(order) < len(cached):
        first = min(cached.keys() - {spec.hash for spec in order})
        raise CachelintError(f'{index.where}: the dependencies of install "{clip(first, 80)}" form '
                             "a cycle")
    return order


def _count_dependents(order: list[IndexSpec]) -> list[int]:
    """Return for each spec how many depend on it, itself included."""
    positions = {spec.hash: position for position, spec in enumerate(order)}
    edges = [[positions[key] for key in {*spec.dependencies} if key in positions]
             for spec in order]
    counts = [0] * len(order)
    for start in range(0, len(order), _BLOCK):
        reached_by = [0] * len(order)
        for position in range(start, len(order)):
            reach = reached_by[position]
            reached_by[position] = 0  # it is not needed again, and large
            if position < start + _BLOCK:
                reach |= 1 << (position - start)
            if reach:
                counts[position] += reach.bit_count()
                for below in edges[position]:
                    reached_by[below] |= reach
    return counts
