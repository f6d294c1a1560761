"""The probes can fail: each mutant of the server, made by a proxy in front of it, is noticed. See docs/conformance.md."""

import pytest

from mutants import catalogue, hunt

NAMES = [function.__name__ for function in catalogue.BEFORE + catalogue.AFTER]
# These show themselves only in the long inputs of the runtime. `python -m mutants` runs them too.
ON_DEMAND = {
    "a_number_becomes_a_string",
    "a_union_takes_its_first_member",
    "an_unknown_enum_value_is_dropped",
    "bounds_are_clamped",
    "text_is_taken_for_numbers",
}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ON_DEMAND])
def test_a_mutant_is_noticed(server, name):
    (result,) = hunt.hunt(server.address, [name])
    assert result.changed, f"{name} changed nothing: it proves nothing"
    assert result.noticed, f"{result.what}: nobody noticed, with {result.changed} answers changed"


def test_without_a_mutant_nothing_is_noticed(server):
    result = hunt.unchanged(server.address)
    assert not result.noticed, result.noticed
