"""scaleio_storage_pool: create, every setting, rename, removal, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_storage_pool
from lab.scaleio import content
from lab.scaleio.faults import Fault
from tests.contract.scaleio_modules.world import World, in_one_version

main = scaleio_storage_pool.main

# Option, another value than a new pool's, the field that shows it, and the step that sets it.
SETTINGS = [
    ("zero_padding", False, "zeroPaddingEnabled", "set_zero_padding"),
    ("checksum", True, "checksumEnabled", "set_checksum"),
    ("rebuild", False, "rebuildEnabled", "set_rebuild"),
    ("rebalance", False, "rebalanceEnabled", "set_rebalance"),
    ("rmcache", True, "useRmcache", "set_rmcache"),
    ("rmcache_write_mode", "Passthrough", "rmcacheWriteHandlingMode", "set_rmcache_write_mode"),
    ("rfcache", True, "useRfcache", "set_rfcache"),
    ("capacity_alert_high_percent", 60, "capacityAlertHighThreshold", "set_capacity_alerts"),
    ("parallel_jobs_per_device", 4, "numOfParallelRebuildRebalanceJobsPerDevice", "set_parallel_jobs"),
    ("rebuild_concurrent_ios_per_device", 3, "rebuildIoPriorityNumOfConcurrentIosPerDevice", "set_rebuild_policy"),
    ("rebalance_policy", "unlimited", "rebalanceIoPriorityPolicy", "set_rebalance_policy"),
    ("spare_percentage", 50, "sparePercentage", "set_spare_percentage"),
]
# Those that came with 3.0 and 3.5.
LATER = [
    ("persistent_checksum", True, "persistentChecksumEnabled", "set_persistent_checksum"),
    ("fragmentation", False, "fragmentationEnabled", "set_fragmentation"),
    ("external_acceleration", "ReadAndWrite", "externalAccelerationType", "set_external_acceleration"),
    ("replication_journal_max_percent", 20, "replicationCapacityMaxRatio", "set_replication_journal"),
]
DYNAMIC = {
    "rebuild_policy": "dynamicBwThrottling",
    "rebuild_app_iops_per_device_threshold": 50,
    "rebuild_app_bandwidth_kbps_per_device_threshold": 4096,
    "rebuild_quiet_period_milliseconds": 1000,
}


def test_a_pool_from_nothing_to_nothing(world: World) -> None:
    world.domain()
    wanted = {"name": "bulk", "protection_domain": "default", "zero_padding": True, "rebuild": False}
    created = world.beats(main, ["create_storage_pool"], **wanted)
    pool = world.object("StoragePool", "bulk")
    assert (pool["sparePercentage"], pool["zeroPaddingEnabled"], pool["rebuildEnabled"]) == (34, True, False)
    assert created["storage_pool"]["id"] == pool["id"]
    assert created["storage_pool"]["protection_domain"] == "default"
    assert created["diff"]["before"] == {}
    assert created["diff"]["after"]["zero_padding"] is True

    world.beats(main, ["rename_storage_pool"], name="bulk", new_name="archive")
    assert world.object("StoragePool", "archive")["id"] == pool["id"]
    removed = world.beats(main, ["remove_storage_pool"], name="archive", state="absent")
    assert (removed["storage_pool"], removed["diff"]["after"]) == ({}, {})
    assert world.system.objects("StoragePool") == {}


def test_every_setting_is_changed_and_read_back(world: World) -> None:
    pool_id = world.pool(world.domain(), zeroPaddingEnabled="TRUE")
    wanted = {option: value for option, value, _field, _step in SETTINGS}
    changed = world.beats(main, [step for _option, _value, _field, step in SETTINGS], id=pool_id, **wanted)
    pool = world.object("StoragePool", "default")
    assert {field: pool[field] for _option, _value, field, _step in SETTINGS} == {
        field: value for _option, value, field, _step in SETTINGS
    }
    assert changed["diff"]["after"] == wanted
    assert set(changed["diff"]["before"]) == set(wanted)
    assert pool["capacityAlertCriticalThreshold"] == 90
    world.beats(main, ["set_rfcache"], id=pool_id, rfcache=False)
    assert pool["useRfcache"] is False


def test_settings_that_creation_does_not_take_follow_it(world: World) -> None:
    world.domain()
    wanted = {"name": "fast", "protection_domain": "default", "parallel_jobs_per_device": 3}
    actions = ["create_storage_pool", "set_capacity_alerts", "set_parallel_jobs"]
    world.beats(main, actions, capacity_alert_critical_percent=95, **wanted)
    pool = world.object("StoragePool", "fast")
    assert (pool["capacityAlertHighThreshold"], pool["capacityAlertCriticalThreshold"]) == (80, 95)
    assert pool["numOfParallelRebuildRebalanceJobsPerDevice"] == 3


def test_media_types_from_3_0_on(world: World) -> None:
    world.pool(world.domain())
    if world.media_types:
        world.beats(main, ["set_media_type"], name="default", media_type="SSD")
        assert world.object("StoragePool", "default")["mediaType"] == "SSD"
    else:
        result = world.refused(main, name="default", media_type="SSD", data_layout="FineGranularity")
        assert "media_type: needs version 3.0, and this Gateway is 2.6" in result["msg"]
        assert len(result["failure"]["problems"]) == 2


@in_one_version
def test_settings_of_later_versions_are_changed_and_read_back(world: World) -> None:
    world.pool(world.domain())
    wanted = {option: value for option, value, _field, _step in LATER}
    world.beats(main, [step for _option, _value, _field, step in LATER], name="default", **wanted)
    pool = world.object("StoragePool", "default")
    assert {field: pool[field] for _option, _value, field, _step in LATER} == {
        field: value for _option, value, field, _step in LATER
    }
    limit = {"persistent_checksum_builder_limit_kbps": 2048}
    world.beats(main, ["set_persistent_checksum"], name="default", **limit)
    assert (pool["persistentChecksumEnabled"], pool["persistentChecksumBuilderLimitKb"]) == (True, 2048)
    assert pool["persistentChecksumValidateOnRead"] is False
    world.beats(main, ["set_persistent_checksum"], name="default", persistent_checksum=False)
    assert pool["persistentChecksumEnabled"] is False


def test_rebuilds_are_throttled_by_what_applications_do(world: World) -> None:
    world.pool(world.domain())
    world.beats(main, ["set_rebuild_policy"], name="default", **DYNAMIC)
    pool = world.object("StoragePool", "default")
    assert pool["rebuildIoPriorityAppBwPerDeviceThresholdInKbps"] == 4096
    assert (pool["rebuildIoPriorityQuietPeriodInMsec"], pool["rebuildIoPriorityBwLimitPerDeviceInKbps"]) == (
        1000,
        10240,
    )
    world.beats(main, ["set_rebuild_policy"], name="default", rebuild_quiet_period_milliseconds=500)
    assert pool["rebuildIoPriorityAppIopsPerDeviceThreshold"] == 50
    world.beats(main, ["set_rebuild_policy"], name="default", rebuild_policy="unlimited")
    assert pool["rebuildIoPriorityQuietPeriodInMsec"] is None


@in_one_version
def test_a_pool_of_fine_granularity(world: World) -> None:
    domain = world.domain()
    fast = world.post("AccelerationPool", protectionDomainId=domain, name="nvdimms", mediaType="NVDIMM")
    wanted = {"protection_domain": "default", "data_layout": "FineGranularity", "acceleration_pool": "nvdimms"}
    made = world.beats(main, ["create_storage_pool"], reads=2, name="dense", compression_method="Normal", **wanted)
    pool = world.object("StoragePool", "dense")
    assert (pool["fglAccpId"], pool["mediaType"], pool["zeroPaddingEnabled"]) == (fast, "SSD", True)
    assert (pool["compressionMethod"], made["storage_pool"]["acceleration_pool_id"]) == ("Normal", fast)
    world.beats(main, ["set_compression_method"], name="dense", compression_method="None")
    refused = world.refused(main, name="other", **{**wanted, "acceleration_pool": "nvdims", "media_type": "HDD"})
    assert "there is no acceleration pool of the protection domain nvdims, did you mean nvdimms?" in refused["msg"]
    assert "FineGranularity needs media_type SSD" in refused["msg"]


@in_one_version
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "new"}, "protection_domain: is required, because there is no storage pool new yet"),
        ({"name": "new", "protection_domain": "defalt"}, "there is no protection domain defalt, did you mean default?"),
        ({"name": "default", "spare_percentage": 120}, "spare_percentage: 120 is not within 0 to 99"),
        ({"name": "default", "capacity_alert_high_percent": 95}, "95 must be below the critical 90; give both"),
        ({"name": "a name"}, "has spaces or characters"),
        ({"name": "x" * 32}, "is longer than 31 characters"),
        ({"name": "defaul", "new_name": "other"}, "no storage pool defaul to rename, did you mean default?"),
        ({"name": "default", "new_name": "taken"}, "new_name: storage pool taken exists already"),
        ({"id": "00000000000000ff"}, "id: there is no storage pool with this id"),
        ({"name": "taken", "new_name": "other", "state": "absent"}, "new_name: has no meaning together with"),
        ({"name": "default", "spare_percentage": 20}, "20 is smaller than the largest fault unit (34 %)"),
        ({"name": "default", "rebuild_bandwidth_limit_kbps_per_device": 9}, "belongs to rebuild_policy favorAppIos"),
        (
            {"name": "default", "rebuild_policy": "dynamicBwThrottling"},
            "rebuild_quiet_period_milliseconds: is required, because rebuild_policy is dynamicBwThrottling",
        ),
        ({"name": "default", "rebalance_quiet_period_milliseconds": 9}, "belongs to rebalance_policy dynamicBw"),
        (
            {"name": "default", "persistent_checksum_validate_on_read": True},
            "persistent_checksum_validate_on_read: has no meaning without persistent_checksum: true",
        ),
        ({"name": "default", "compression_method": "Normal"}, "only storage pools of data_layout FineGranularity"),
        (
            {"name": "new", "protection_domain": "default", "data_layout": "FineGranularity"},
            "acceleration_pool: is required, because data_layout is FineGranularity",
        ),
        ({"name": "new", "protection_domain": "default", "acceleration_pool": "fast"}, "has no meaning unless data_"),
        ({"name": "default", "zero_padding": "unwanted"}, "unable to convert to bool"),
        ({"name": "default", "state": "absent"}, "the pool still has 3 device(s); remove them first"),
        ({}, "one of the following is required: name, id"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(world: World, arguments: dict[str, str], text: str) -> None:
    pool = world.servers()
    world.pool(world.object("StoragePool", "default")["protectionDomainId"], "taken")
    result = world.refused(main, **arguments)
    assert text in result["msg"]
    assert pool in world.system.objects("StoragePool")
    if "failure" in result:
        assert result["failure"]["code"] == "cannot_apply"
        assert result["msg"].endswith(result["failure"]["remedy"])


def test_shares_of_migration_and_maintenance_from_3_0_on(world: World) -> None:
    world.pool(world.domain())
    wanted: dict[str, object] = {"vtree_migration_policy": "unlimited", "maintenance_policy": "favorAppIos"}
    wanted["maintenance_bandwidth_limit_kbps_per_device"] = 2048
    if world.media_types:
        world.beats(main, ["set_vtree_migration_policy", "set_maintenance_policy"], name="default", **wanted)
        pool = world.object("StoragePool", "default")
        assert pool["vtreeMigrationIoPriorityPolicy"] == "unlimited"
        assert pool["protectedMaintenanceModeIoPriorityBwLimitPerDeviceInKbps"] == 2048
    else:
        assert len(world.refused(main, name="default", **wanted)["failure"]["problems"]) == 3


@in_one_version
def test_everything_wrong_is_said_at_once(world: World) -> None:
    world.servers()
    zero_padding = not world.object("StoragePool", "default")["zeroPaddingEnabled"]
    wanted = {"spare_percentage": 120, "zero_padding": zero_padding, "parallel_jobs_per_device": 11}
    result = world.refused(main, name="default", **wanted)
    assert len(result["failure"]["problems"]) == 3, result["msg"]


@in_one_version
def test_two_domains_may_have_pools_of_one_name(world: World) -> None:
    first = world.pool(world.domain("one"))
    second = world.pool(world.domain("two"))
    assert "there are 2 of this name" in world.refused(main, name="default", rebuild=False)["msg"]
    world.beats(main, ["set_rebuild"], name="default", protection_domain="two", rebuild=False)
    pools = world.system.objects("StoragePool")
    assert (pools[first]["rebuildEnabled"], pools[second]["rebuildEnabled"]) == (True, False)


def test_a_spare_that_would_not_leave_room_is_refused_by_the_system(world: World) -> None:
    world.servers()
    content.fill_pool(world.system, "default", 90)
    result = world.run(main, name="default", spare_percentage=80)
    assert result["failure"]["error_code"] == 61
    assert result["failure"]["object"] == "default"
    assert "choose a smaller spare_percentage" in result["failure"]["remedy"]


@in_one_version
def test_a_small_spare_can_be_insisted_on(world: World) -> None:
    world.servers()
    world.beats(main, ["set_spare_percentage"], name="default", spare_percentage=20, allow_small_spare=True)


@in_one_version
def test_a_lost_answer_is_looked_up_and_not_repeated(world: World) -> None:
    world.domain()
    world.emulator.gateway.faults.add(Fault("drop_after", "POST", "/api/types/StoragePool"))
    created = world.done(main, name="bulk", protection_domain="default", parallel_jobs_per_device=5)
    assert [step["action"] for step in created["steps"]] == ["create_storage_pool", "set_parallel_jobs"]
    assert created["storage_pool"]["parallel_jobs_per_device"] == 5
    assert len(world.system.objects("StoragePool")) == 1
