"""The engine for single objects on an emulated system without a network: any state to any other, and other writers."""

import itertools
import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_sds import plan_sds
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_storage_pool import (
    STORAGE_POOL,
    plan_storage_pool,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_volume import plan_volume
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.objects import (
    ObjectError,
    Tree,
    at_least,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.apply import ApplyFailed, Patience
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.errors import AnswerLost, refusal
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    converge_object,
    read_tree,
)
from lab.scaleio.system import Pace, System

PATIENCE = Patience(timeout_seconds=1, sleep=lambda seconds: None)
UNSET = {
    "pool": dict.fromkeys(
        [
            *("name", "id", "new_name", "protection_domain", "media_type", "data_layout", "spare_percentage"),
            *("zero_padding", "checksum", "rebuild", "rebalance", "rmcache", "rmcache_write_mode", "rfcache"),
            *("capacity_alert_high_percent", "capacity_alert_critical_percent", "parallel_jobs_per_device"),
            *("acceleration_pool", *(one.option for one in STORAGE_POOL.fields)),
        ]
    ),
    "sds": dict.fromkeys(
        [
            *("name", "id", "new_name", "protection_domain", "fault_set", "ips", "port", "drl_mode", "rmcache"),
            *("rmcache_size_mib", "rfcache", "performance_profile"),
        ]
    ),
    "volume": dict.fromkeys(
        [
            *("name", "id", "new_name", "protection_domain", "storage_pool", "size_gib", "type", "rmcache"),
            *("compression_method", "access_mode_limit", "map_to", "map_to_all", "snapshot_policy", "migrate"),
        ]
    ),
}


class Direct:
    """A Gateway without HTTP. `before_post` may do what another run does just then."""

    def __init__(self, profile="3.6"):
        pace = Pace(join_seconds=0, device_test_seconds=0)
        self.system = System.create(profile=profile, name="lab", admin_password="Lab-12345", pace=pace)
        self.version = profile
        self.writes = []
        self.before_post = None
        self.lost_write, self.lost_after = -1, False
        self.domain = self.post("/api/types/ProtectionDomain/instances", {"name": "default"})["id"]
        self.writes.clear()

    def get(self, path):
        return self._ask("GET", path, None)

    def post(self, path, body):
        if self.before_post is not None:
            hook, self.before_post = self.before_post, None
            hook(path, body)
        self.writes.append(path)
        if len(self.writes) - 1 == self.lost_write:
            if self.lost_after:
                self._ask("POST", path, body)
            raise AnswerLost(f"no answer to POST {path}.")
        return self._ask("POST", path, body)

    def _ask(self, method, path, body):
        status, answer = self.system.rest(method, path, {}, body)
        if status >= 400:
            raise refusal(status, answer, f"{method} {path}")
        return answer

    def make(self, planner, kind, **wanted):
        """Plan and converge; then nothing may be left to do. Returns what the object is."""
        options = {**UNSET[kind], "state": "present", "allow_small_spare": True, "remove_other_ips": False, **wanted}
        plan = planner(read_tree(self), options)
        end, done = converge_object(self, planner, options, plan, PATIENCE)
        again = planner(read_tree(self), options)
        assert again.steps == ()
        assert [step.as_dict() for step in done] == [step.as_dict() for step in plan.steps]
        assert plan.after == {key: end.shown.get(key, value) for key, value in plan.after.items()}
        return end.shown


def maybe(strategy):
    return st.one_of(st.none(), strategy)


POOLS = st.fixed_dictionaries(
    {
        "spare_percentage": maybe(st.integers(0, 99)),
        "zero_padding": maybe(st.booleans()),
        "checksum": maybe(st.booleans()),
        "rebuild": maybe(st.booleans()),
        "rfcache": maybe(st.booleans()),
        "rmcache_write_mode": maybe(st.sampled_from(["Cached", "Passthrough"])),
        "capacity_alert_high_percent": maybe(st.integers(1, 79)),
        "capacity_alert_critical_percent": maybe(st.integers(81, 100)),
        "parallel_jobs_per_device": maybe(st.integers(1, 10)),
        "rebuild_policy": maybe(st.sampled_from(["unlimited", "limitNumOfConcurrentIos", "favorAppIos"])),
        "rebalance_concurrent_ios_per_device": maybe(st.integers(1, 20)),
        "persistent_checksum": maybe(st.booleans()),
        "fragmentation": maybe(st.booleans()),
        "external_acceleration": maybe(st.sampled_from(["None", "Read", "ReadAndWrite"])),
    }
)
ROLES = st.sampled_from(["all", "sdsOnly", "sdcOnly"])
ADDRESSES = st.dictionaries(st.integers(1, 12), ROLES, min_size=1, max_size=8).filter(
    lambda roles: "all" in roles.values() or {"sdsOnly", "sdcOnly"} <= set(roles.values())
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.sampled_from(["2.6", "3.6", "4.5"]), POOLS, POOLS)
def test_any_pool_becomes_any_other(profile, first, second):
    gateway = Direct(profile)
    for given_one in (first, second):
        since = {one.option: one.since for one in STORAGE_POOL.fields}
        wanted = {key: value for key, value in given_one.items() if at_least(profile, since[key])}
        shown = gateway.make(plan_storage_pool, "pool", name="p", protection_domain="default", **wanted)
        assert {key: shown[key] for key, value in wanted.items() if value is not None} == {
            key: value for key, value in wanted.items() if value is not None
        }


@quick
@given(ADDRESSES, ADDRESSES)
def test_any_addresses_become_any_others_and_the_server_serves_all_the_time(first, second):
    gateway = Direct()
    place = {"name": "agent1", "protection_domain": "default"}
    for addresses in (first, second):
        ips = [{"ip": f"192.0.2.{number}", "role": role} for number, role in addresses.items()]
        if len(set(first) | set(second)) > 8:
            with suppress(ObjectError):  # some cannot be replaced in place when all eight addresses are taken
                gateway.make(plan_sds, "sds", ips=ips, remove_other_ips=True, **place)
            continue
        shown = gateway.make(plan_sds, "sds", ips=ips, remove_other_ips=True, **place)
        assert sorted(shown["ips"], key=str) == sorted(ips, key=str)


def with_clients():
    """A pool on three servers, and four storage clients."""
    gateway = Direct()
    pool = {"protectionDomainId": gateway.domain, "name": "p", "mediaType": "HDD", "sparePercentage": "34"}
    pool_id = gateway.post("/api/types/StoragePool/instances", pool)["id"]
    for number in (1, 2, 3):
        entry = [{"ip": f"192.0.2.{number}", "role": "all"}]
        body = {"protectionDomainId": gateway.domain, "name": f"agent{number}", "sdsIpList": entry}
        sds = gateway.post("/api/types/Sds/instances", body)["id"]
        device = {"sdsId": sds, "storagePoolId": pool_id, "deviceCurrentPathname": "/dev/sdb", "testMode": "noTest"}
        gateway.post("/api/types/Device/instances", device)
    for number, name in enumerate("abcd"):
        guid = f"5D9E4F2C-0000-4000-8000-00000000000{number}"
        gateway.system.sdc_seen(guid, f"198.51.100.{number}", connected=True, name=name)
    gateway.writes.clear()
    return gateway


@quick
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), maybe(st.integers(11, 99))), unique_by=lambda one: one[0]),
    st.lists(st.tuples(st.sampled_from("abcd"), maybe(st.integers(11, 99))), unique_by=lambda one: one[0]),
    st.booleans(),
)
def test_any_mappings_become_any_others(first, second, exclusive):
    gateway = with_clients()
    expected = {}
    for mappings in (first, second):
        expected = {} if exclusive else dict(expected)
        for name, limit in mappings:
            expected[name] = limit if limit is not None else expected.get(name)
        map_to = [
            {"sdc": name, "iops_limit": limit, "bandwidth_limit_mbps": None, "access_mode": None}
            for name, limit in mappings
        ]
        shared = {"exclusive_mappings": exclusive, "allow_multiple_mappings": len(expected) > 1}
        wanted = {"name": "v", "storage_pool": "p", "size_gib": 8, "map_to": map_to, **shared}
        shown = gateway.make(plan_volume, "volume", **wanted)
        found = {mapping["sdc"]: mapping["iops_limit"] for mapping in shown["mappings"]}
        assert set(found) == set(expected)
        assert all(found[name] == limit for name, limit in mappings if limit is not None)


POOL = {
    **UNSET["pool"],
    "name": "p",
    "protection_domain": "default",
    "state": "present",
    "allow_small_spare": True,
    "spare_percentage": 40,
    "parallel_jobs_per_device": 4,
}


def test_another_run_was_first_with_the_same_name_and_other_settings():
    gateway = Direct()

    def other_run(path, body):
        gateway.system.rest("POST", path, {}, {**body, "sparePercentage": "50"})

    gateway.before_post = other_run
    plan = plan_storage_pool(read_tree(gateway), POOL)
    end, done = converge_object(gateway, plan_storage_pool, POOL, plan, PATIENCE)
    assert (end.shown["spare_percentage"], end.shown["parallel_jobs_per_device"]) == (40, 4)
    assert [step.action for step in done] == ["create_storage_pool", "set_parallel_jobs", "set_spare_percentage"]
    assert len(gateway.system.objects("StoragePool")) == 1


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("write", range(4))
def test_whichever_answer_is_lost_nothing_is_done_twice(write, carried_out):
    gateway = with_clients()
    map_to = [
        {"sdc": name, "iops_limit": limit, "bandwidth_limit_mbps": None, "access_mode": None}
        for name, limit in (("a", None), ("b", 99))
    ]
    shared = {"exclusive_mappings": False, "allow_multiple_mappings": True}
    gateway.lost_write, gateway.lost_after = write, carried_out
    shown = gateway.make(plan_volume, "volume", name="v", storage_pool="p", size_gib=8, map_to=map_to, **shared)
    assert {mapping["sdc"]: mapping["iops_limit"] for mapping in shown["mappings"]} == {"a": 0, "b": 99}
    assert len(gateway.system.objects("Volume")) == 1
    assert len(gateway.writes) == (4 if carried_out else 5)


def test_another_run_removed_it_first():
    gateway = Direct()
    pool = {"protectionDomainId": gateway.domain, "name": "p", "mediaType": "HDD"}
    pool_id = gateway.post("/api/types/StoragePool/instances", pool)["id"]
    gateway.before_post = lambda path, body: gateway.system.rest("POST", path, {}, body)
    wanted = {**POOL, "state": "absent"}
    plan = plan_storage_pool(read_tree(gateway), wanted)
    end, done = converge_object(gateway, plan_storage_pool, wanted, plan, PATIENCE)
    assert (end.shown, [step.action for step in done]) == ({}, ["remove_storage_pool"])
    assert pool_id not in gateway.system.objects("StoragePool")


def test_a_system_that_accepts_but_does_not_change_is_given_up_at_once():
    gateway = Direct()
    plan = plan_storage_pool(read_tree(gateway), POOL)
    converge_object(gateway, plan_storage_pool, POOL, plan, PATIENCE)
    gateway.writes.clear()
    real = gateway._ask
    gateway._ask = lambda method, path, body: {} if method == "POST" else real(method, path, body)
    wanted = {**POOL, "spare_percentage": 60}
    plan = plan_storage_pool(read_tree(gateway), wanted)
    with pytest.raises(ApplyFailed) as caught:
        converge_object(gateway, plan_storage_pool, wanted, plan, PATIENCE)
    assert caught.value.as_failure()["code"] == "not_converged"
    assert len(gateway.writes) == 1


def test_waiting_stops_when_time_is_over():
    gateway = Direct()
    gateway.system.pace = Pace(join_seconds=3600)
    wanted = {
        **UNSET["sds"],
        "name": "agent1",
        "state": "present",
        "remove_other_ips": False,
        "protection_domain": "default",
        "ips": [{"ip": "192.0.2.1", "role": "all"}],
    }
    times = itertools.count(0, 10)
    patience = Patience(timeout_seconds=60, sleep=lambda seconds: None, clock=lambda: next(times))
    with pytest.raises(ApplyFailed) as caught:
        converge_object(gateway, plan_sds, wanted, plan_sds(read_tree(gateway), wanted), patience)
    assert "Not ready after 60 seconds: SDS agent1 (JoinPending)" in str(caught.value)
    assert [step.action for step in caught.value.done] == ["create_sds"]


def test_planning_in_a_large_system_takes_less_than_a_second():
    servers = [{"id": f"{n:016x}", "name": f"agent{n}", "faultSetId": None} for n in range(1024)]
    devices = [
        {"id": f"{n:016x}", "sdsId": servers[n // 16]["id"], "storagePoolId": "0a", "capacityLimitInKb": 1024**2}
        for n in range(16 * 1024)
    ]
    fields = {one.read: 1 for one in STORAGE_POOL.fields}
    pool = {**fields, "capacityAlertCriticalThreshold": 90, "id": "0a", "name": "p", "protectionDomainId": "0b"}
    domain = {"id": "0b", "name": "default"}
    answer = {"System": {"id": "01"}, "sdsList": servers, "deviceList": devices}
    answer.update(storagePoolList=[pool], protectionDomainList=[domain])
    began = time.process_time()
    plan = plan_storage_pool(Tree(answer, "3.6"), {**POOL, "spare_percentage": 34})
    assert time.process_time() - began < 1
    assert "set_spare_percentage" in [step.action for step in plan.steps]
