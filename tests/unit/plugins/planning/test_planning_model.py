"""The snapshot's data classes: to data and back, and clear words for data of another shape."""

import copy

import pytest
from systems import EMPTY, Simulation, empty

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import (
    ShapeError,
    snapshot_from,
    to_dict,
)


def test_round_trip_and_unknown_keys():
    simulation = Simulation(empty())
    simulation.create_protection_domain("d", {})
    data = to_dict(simulation.run([]))
    assert snapshot_from({**data, "health": {}, "calls": 2}) == snapshot_from(data)
    assert to_dict(snapshot_from(data)) == data


def changed(edit):
    data = copy.deepcopy(EMPTY)
    data["protection_domains"].append({"id": "1", "name": "d", "state": "Active"})
    edit(data)
    return data


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.pop("sds"), "^sds is missing$"),
        (lambda d: d["system"]["mdm"].pop("state"), "^system.mdm.state is missing$"),
        (lambda d: d.update(volumes={}), "^volumes must be a list, got dict$"),
        (lambda d: d["protection_domains"][0].update(name=7), r"^protection_domains\[0\].name must be str, got int$"),
        (lambda d: d.update(system="x"), "^system must be a mapping, got str$"),
    ],
)
def test_other_shapes_are_named(edit, message):
    with pytest.raises(ShapeError, match=message):
        snapshot_from(changed(edit))


def test_a_device_of_an_acceleration_pool_has_no_storage_pool():
    device = {"id": "1", "name": None, "sds_id": "2", "storage_pool_id": None, "path": "/dev/pmem0", "state": "Normal"}
    device.update(error_state="None", capacity_limit_kib=1, max_capacity_kib=1)
    snapshot = snapshot_from(changed(lambda data: data["devices"].append(device)))
    assert snapshot.devices[0].storage_pool_id is None
    assert snapshot.devices[0].healthy
