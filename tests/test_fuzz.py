"""The first inputs of each target of `python -m fuzz`, the same each time."""

import pytest
from fuzz.targets import TARGETS, make_test

INPUTS = {"pages": 250, "catalog": 100, "configuration": 300, "baseline": 200, "mirror": 100}


@pytest.mark.parametrize("target", TARGETS)
def test_properties(target: str) -> None:
    make_test(target, max_examples=INPUTS[target], derandomize=True, database=None)()
