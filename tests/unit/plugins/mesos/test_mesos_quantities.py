"""Amounts of resources: nothing is lost or invented by adding and taking away, and nonsense is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import quantities
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.quantities import minus, plus

numbers = st.sets(st.integers(0, 60), max_size=30)


def as_ranges(members: set[int]) -> quantities.Ranges:
    return quantities.merged((one, one) for one in members)


def members_of(amount: quantities.Amount) -> set[int]:
    assert not isinstance(amount, int)
    return {one for begin, end in amount for one in range(begin, end + 1)}


@given(numbers, numbers)
def test_ranges_behave_as_the_sets_that_they_stand_for(left: set[int], right: set[int]) -> None:
    assert members_of(plus(as_ranges(left), as_ranges(right))) == left | right
    assert members_of(minus(as_ranges(left), as_ranges(right))) == left - right


@given(numbers)
def test_ranges_have_one_form_only(members: set[int]) -> None:
    ranges = as_ranges(members)
    assert all(earlier[1] + 1 < later[0] for earlier, later in zip(ranges, ranges[1:], strict=False))


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_what_is_missing_and_what_is_too_much_meet(held: int, wanted: int) -> None:
    missing, surplus = minus(wanted, held), minus(held, wanted)
    assert plus(held, missing) == plus(wanted, surplus)
    assert 0 in (missing, surplus)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (1.5, 1500),
        ("0.1", 100),
        (0.1 + 0.2, 300),
        (2.00049, 2000),
        (0, 0),
        ("[]", ()),
        (" [5-6, 1-3,4-4]", ((1, 6),)),
    ],
)
def test_what_a_user_writes(value: Any, amount: quantities.Amount) -> None:
    assert quantities.declared("cpus", value) == amount


@pytest.mark.parametrize("value", [-1, True, None, "x", "[1]", "[3-1]", "[1-2", "nan", "inf", [1]])
def test_what_is_no_amount(value: Any) -> None:
    with pytest.raises(BadOption):
        quantities.declared("cpus", value)


def test_messages_are_read_back_as_they_were_meant() -> None:
    for name, amount in (("mem_mib", 1500), ("ports", ((1, 3), (7, 7)))):
        message = quantities.message(name, amount)
        assert quantities.of_resource(message) == amount
    assert quantities.message("mem_mib", 1500) == {"name": "mem", "type": "SCALAR", "scalar": {"value": 1.5}}
