"""The capacity arithmetic, against figures worked out by hand and against its own laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity

UNITS = st.lists(st.integers(0, 10**9), max_size=8)


def test_three_disks_of_180_gib():
    device = capacity.device_capacity_kib(180)
    assert device == 179 * 1024 * 1024 - 1024
    spare = capacity.spare_kib(3 * device, 34)
    assert spare % 1024 == 0
    assert 0 <= 3 * device * 34 // 100 - spare < 1024
    assert capacity.used_percent(0, 3 * device, spare) == 0


def test_the_recorded_pool():
    """Figures of a real 2.5 pool: 311424000 KiB at 10 % spare."""
    assert capacity.spare_kib(311424000, 10) == 31141888
    assert capacity.used_percent(50110464, 311424000, 31141888) == 17.88
    assert capacity.used_percent_raw(50110464, 311424000) == 16.09


@pytest.mark.parametrize(
    ("units", "percent"),
    [([10, 10, 10], 34), ([10] * 4, 25), ([10] * 5, 20), ([10] * 10, 10), ([20, 10, 10], 50), ([], 0)],
)
def test_spare_floor(units, percent):
    assert capacity.spare_floor_percent(units) == percent


@pytest.mark.parametrize(("units", "effective"), [([10, 10, 10], 30), ([50, 10, 10], 40), ([10], 0), ([], 0)])
def test_effective_raw(units, effective):
    assert capacity.effective_raw_kib(units) == effective


@pytest.mark.parametrize(("in_use", "limit", "spare", "percent"), [(0, 0, 0, 0.0), (5, 10, 10, 100.0)])
def test_used_percent_of_a_pool_without_room(in_use, limit, spare, percent):
    assert capacity.used_percent(in_use, limit, spare) == percent


@given(UNITS)
def test_spare_floor_holds_the_largest_unit_and_is_least(units):
    percent = capacity.spare_floor_percent(units)
    total, largest = sum(units), max(units, default=0)
    assert percent * total >= 100 * largest
    assert percent == 0 or (percent - 1) * total < 100 * largest


@given(UNITS, st.integers(0, 10**9))
def test_effective_raw_never_exceeds_total_and_grows(units, more):
    assert capacity.effective_raw_kib(units) <= sum(units)
    assert capacity.effective_raw_kib(units + [more]) >= capacity.effective_raw_kib(units)


@given(st.integers(1, 10**9))
def test_disk_for_capacity_is_the_smallest(wanted_kib):
    disk = capacity.disk_gib_for(wanted_kib)
    assert capacity.device_capacity_kib(disk) >= wanted_kib
    assert capacity.device_capacity_kib(disk - 1) < wanted_kib
    assert math.isclose(capacity.gib_from_kib(capacity.kib_from_gib(disk)), disk)
