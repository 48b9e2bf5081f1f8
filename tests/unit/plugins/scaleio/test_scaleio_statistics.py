"""Rates are computed from counts and windows, also from empty ones."""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.statistics import selections, statistics


def window(seconds, kib, count):
    return {"numSeconds": seconds, "totalWeightInKb": kib, "numOccured": count}


def test_rates_have_units_and_kinds_of_rebuild_add_up():
    pool = {
        "userDataReadBwc": window(5, 1000, 50),
        "userDataWriteBwc": window(0, 0, 0),
        "fwdRebuildWriteBwc": window(4, 100, 2),
        "bckRebuildWriteBwc": window(2, 100, 2),
        "normRebuildWriteBwc": None,
    }
    shown = statistics({"StoragePool": {"p": pool}})["storage_pools"]["p"]
    assert (shown["read_iops"], shown["read_kib_per_second"]) == (10, 200)
    assert (shown["write_iops"], shown["write_kib_per_second"]) == (0, 0)
    assert (shown["rebuild_iops"], shown["rebuild_kib_per_second"]) == (1.5, 75)
    assert shown["rebalance_kib_per_second"] == 0


def test_every_kind_is_asked_once():
    kinds = [selection["type"] for selection in selections()]
    assert len(kinds) == len(set(kinds)) == 6
