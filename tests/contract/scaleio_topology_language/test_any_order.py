"""From any system to any other, in whatever order the steps of a plan happen to be carried out.

The steps of a phase run side by side in several queues. Here each order that those queues allow may be drawn, and each
step goes to a system that enforces its limits: one that would break a limit on the way is refused, and the test fails.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import Snapshot
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_plan import (
    Plan,
    make_plan,
    read_request,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_steps import PHASES, Step
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.errors import refusal
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_snapshot
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.writer import Writer
from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_topology
from lab.scaleio import content, mdm
from lab.scaleio.emulator import Emulator
from lab.scaleio.probe import AnyDevice
from lab.scaleio.system import Pace, System
from lab.scaleio.units import KIB_PER_GIB
from tests.contract.scaleio_modules.world import World

Document = dict[str, Any]
CLIENTS = ("198.51.100.201", "198.51.100.202")
MOVED_SECONDS = 3600.0
ROUNDS = len(PHASES) + 2


class Direct:
    """A system with the client's three calls, without a Gateway between: many orders can be tried in a second."""

    def __init__(self, profile: str, disk_gib: int = 180) -> None:
        self.now = 1_000_000.0
        pace = Pace(join_seconds=0, device_test_seconds=0, movement_gib_per_second=1000)
        self.system = System.create(
            profile=profile, clock=lambda: self.now, probe=AnyDevice(disk_gib), admin_password="Lab-1", pace=pace
        )
        self.system.set_mdm_cluster(mdm.three_nodes(self.system))
        self.version = self.system.profile.api_version.strip('"')
        for number, address in enumerate(CLIENTS):
            self.system.sdc_seen(f"5D9E4F2C-0000-4000-8000-00000000000{number}", address, connected=True)

    def get(self, path: str) -> Any:
        return self._call("GET", path, {})

    def query(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        status, answer = self.system.rest(method, path, {}, body)
        if status != 200:
            raise refusal(status, answer, f"{method} {path}")
        return answer

    def settle(self) -> None:
        self.now += MOVED_SECONDS
        self.system.advance()

    def snapshot(self) -> Snapshot:
        self.system.advance()
        return read_snapshot(self)  # type: ignore[arg-type]


def plan(document: Document, snapshot: Snapshot) -> Plan:
    return make_plan(read_request(copy.deepcopy(document), prune=True), snapshot)


def some_order(steps: list[Step], draw: random.Random) -> Iterator[Step]:
    """One of the orders that the queues of a phase allow."""
    queues: dict[str, list[Step]] = {}
    for step in steps:
        queues.setdefault(step.queue, []).append(step)
    while queues:
        name = draw.choice(sorted(queues))
        yield queues[name].pop(0)
        if not queues[name]:
            del queues[name]


def require_sound(direct: Direct) -> None:
    """What must hold at every moment: no data without its copies, none in the spare, and room to mirror it."""
    system = direct.system
    for pool in system.objects("StoragePool").values():
        sizes = system.pool_capacity(pool)
        assert not sizes.failed_kib
        assert not sizes.degraded_kib
        assert sizes.in_use_kib <= sizes.limit_kib - sizes.spare_kib
        assert pool["capacityAlertHighThreshold"] < pool["capacityAlertCriticalThreshold"]
        if sizes.in_use_kib:
            devices = system.children("Device", "storagePoolId", pool["id"])
            servers = {item["sdsId"] for item in devices}
            assert len({system.get("Sds", sds)["faultSetId"] or sds for sds in servers}) >= 3
    for sds in system.objects("Sds").values():
        roles = {entry["role"] for entry in sds["ipList"]}
        assert "all" in roles or roles == {"sdsOnly", "sdcOnly"}


def bring(direct: Direct, document: Document, draw: random.Random) -> int:
    """Plan and carry out until nothing is left; returns the number of steps that it took."""
    count = 0
    for _round in range(ROUNDS):
        steps = plan(document, direct.snapshot()).steps
        if not steps:
            return count
        writer = Writer(direct, direct.snapshot())  # type: ignore[arg-type]
        for phase in PHASES:
            for step in some_order([one for one in steps if one.phase == phase], draw):
                writer.write(step)
                require_sound(direct)
                count += 1
            direct.settle()
            require_sound(direct)
    raise AssertionError(f"no end: {[str(step) for step in plan(document, direct.snapshot()).steps]}")


def described(direct: Direct) -> dict[str, Any]:
    """A system by what people call things, without ids: what a topology decides of it."""
    snapshot = direct.snapshot()
    domains = {item.id: item.name for item in snapshot.protection_domains}
    pools = {item.id: (domains[item.protection_domain_id], item.name) for item in snapshot.storage_pools}
    fault_sets = {item.id: item.name for item in snapshot.fault_sets}
    servers = {item.id: item.name for item in snapshot.sds}
    clients = {item.id: item.ip for item in snapshot.sdcs}
    return {
        "domains": set(domains.values()),
        "fault_sets": {(domains[item.protection_domain_id], item.name) for item in snapshot.fault_sets},
        "pools": {
            pools[item.id]: (
                item.media_type,
                item.zero_padding_enabled,
                item.rebuild_enabled,
                item.rebalance_enabled,
                item.use_rfcache,
                item.capacity_alert_high_percent,
                item.capacity_alert_critical_percent,
            )
            for item in snapshot.storage_pools
        },
        "sds": {
            item.name: (
                domains[item.protection_domain_id],
                fault_sets.get(item.fault_set_id or ""),
                {(address.ip, address.role) for address in item.ips},
            )
            for item in snapshot.sds
        },
        "devices": {
            (servers[item.sds_id], item.path): (item.name, pools[item.storage_pool_id or ""])
            for item in snapshot.devices
        },
        "volumes": {
            item.name: (
                pools[item.storage_pool_id],
                item.size_kib,
                item.type,
                {clients[sdc_id] for sdc_id in item.mapped_sdc_ids},
            )
            for item in snapshot.volumes
        },
    }


@st.composite
def pool_settings(draw: st.DrawFn) -> Document:
    """Everything that can be said of a pool and changed later."""
    high = draw(st.integers(50, 80))
    return {
        "rebuild": draw(st.booleans()),
        "rebalance": draw(st.booleans()),
        "rfcache": draw(st.booleans()),
        "capacity_alert_high_percent": high,
        "capacity_alert_critical_percent": draw(st.integers(high + 1, 95)),
    }


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Document, Document]:
    """Two topologies of the whole language; what cannot change (media, domains of servers, ...) is one in both."""
    first: Document = {"protection_domains": [], "volumes": []}
    second: Document = {"protection_domains": [], "volumes": []}
    number = 0
    for d in range(draw(st.integers(1, 2))):
        sets = draw(st.sampled_from([0, 3, 4]))
        fault_sets = [{"name": f"d{d}f{f}"} for f in range(sets)]
        names = [f"p{p}" for p in range(draw(st.integers(1, 2)))]
        fixed = {name: {"media_type": draw(st.sampled_from(["HDD", "SSD"]))} for name in names}
        servers = []
        for s in range(sets * draw(st.integers(1, 2)) or draw(st.integers(3, 5))):
            number += 1
            sds: Document = {"name": f"s{number}", "ips": [{"ip": f"198.51.100.{number}", "role": "all"}]}
            if sets:
                sds["fault_set"] = f"d{d}f{s % sets}"
            devices = [{"path": f"/dev/sd{'bc'[p]}", "storage_pool": name} for p, name in enumerate(names)]
            servers.append({**sds, "devices": devices})
        entry: Document = {"name": f"d{d}", "fault_sets": fault_sets}
        before = [{"name": name, "zero_padding": True, **fixed[name], **draw(pool_settings())} for name in names]
        after = [{"name": name, "zero_padding": True, **fixed[name], **draw(pool_settings())} for name in names]
        first["protection_domains"].append({**entry, "storage_pools": before, "sds": copy.deepcopy(servers)})
        volumes = [
            {
                "name": f"d{d}v{v}",
                "protection_domain": f"d{d}",
                "storage_pool": draw(st.sampled_from(names)),
                "size_gib": 8 * draw(st.integers(1, 3)),
                "type": draw(st.sampled_from(["thin", "thick"])),
                "map_to": draw(st.lists(st.sampled_from(CLIENTS), unique=True)),
            }
            for v in range(draw(st.integers(0, 2)))
        ]
        first["volumes"] += volumes
        # Volumes and mappings are never removed, they only grow.
        second["volumes"] += [
            {
                **volume,
                "size_gib": volume["size_gib"] + 8 * draw(st.integers(0, 2)),
                "map_to": volume["map_to"]
                + [ip for ip in CLIENTS if ip not in volume["map_to"]][: draw(st.integers(0, 2))],
            }
            for volume in volumes
        ]
        second["protection_domains"].append(
            {**entry, "storage_pools": after, "sds": draw(changed_servers(servers, names))}
        )
    return first, second


@st.composite
def changed_servers(draw: st.DrawFn, servers: list[Document], pools: list[str]) -> list[Document]:
    """The servers with other addresses, roles and devices, perhaps one fewer or one more."""
    result = copy.deepcopy(servers)
    if len(result) > 3 and "fault_set" not in result[-1] and draw(st.booleans()):
        result.pop(draw(st.integers(0, len(result) - 1)))
    number = int(servers[0]["name"][1:])
    for sds in result:
        number = int(sds["name"][1:])
        change = draw(
            st.sampled_from(["", "other address", "two roles", "named device", "more devices", "other device"])
        )
        if change == "other address":
            sds["ips"] = [{"ip": f"203.0.113.{number}", "role": "all"}]
        if change == "two roles":
            sds["ips"] = [
                {"ip": f"198.51.100.{number}", "role": "sdsOnly"},
                {"ip": f"203.0.113.{number}", "role": "sdcOnly"},
            ]
        if change == "named device":
            sds["devices"][0]["name"] = "first"
        if change == "more devices":
            sds["devices"].append({"path": "/dev/sdd", "storage_pool": draw(st.sampled_from(pools))})
        if change == "other device":
            sds["devices"][0]["path"] = "/dev/sde"
    if draw(st.booleans()):
        more = {"name": f"n{number}", "ips": [f"203.0.113.{100 + number}"], "devices": []}
        more |= {"fault_set": servers[0]["fault_set"]} if "fault_set" in servers[0] else {}
        more["devices"] = [{"path": f"/dev/sd{'bc'[p]}", "storage_pool": name} for p, name in enumerate(pools)]
        result.append(more)
    return result


def lead(profile: str, pair: tuple[Document, Document], draw: random.Random, fill: int) -> None:
    """Build the first, write into it, bring it to the second: nothing is left of the first but its data."""
    first, second = pair
    direct = Direct(profile)
    bring(direct, first, draw)
    for volume in direct.system.objects("Volume").values():
        if volume["volumeType"] == "ThinProvisioned":
            direct.system.write_volume(volume["name"], volume["sizeInKb"] / KIB_PER_GIB * fill / 100)
    bring(direct, second, draw)

    alone = Direct(profile)
    bring(alone, second, draw)
    assert described(direct) == described(alone)
    assert plan(second, direct.snapshot()).steps == ()


ORDERS = st.randoms(use_true_random=False)
FILLS = st.integers(0, 100)
# Smaller counterexamples are not worth the minutes that each look takes.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.mark.parametrize("profile", ["2.6", "3.6"])
@settings(max_examples=8, deadline=None, phases=NO_SHRINKING)
@given(pairs(), ORDERS, FILLS)
def test_some_orders_lead_from_any_system_to_any_other(
    profile: str, pair: tuple[Document, Document], draw: random.Random, fill: int
) -> None:
    lead(profile, pair, draw, fill)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["2.0", "2.6", "3.6", "4.5"])
@settings(max_examples=60, deadline=None, phases=NO_SHRINKING)
@given(pairs(), ORDERS, FILLS)
def test_every_order_leads_from_any_system_to_any_other(
    profile: str, pair: tuple[Document, Document], draw: random.Random, fill: int
) -> None:
    lead(profile, pair, draw, fill)


@settings(
    max_examples=4, deadline=None, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pairs())
def test_check_mode_predicts_any_change_and_never_writes(
    capsys: pytest.CaptureFixture[str], pair: tuple[Document, Document]
) -> None:
    """Through the module, counted at the Gateway."""
    emulator = Emulator(plain_http=True, pace=Pace(join_seconds=0, device_test_seconds=0, movement_gib_per_second=1e6))
    emulator.system.probe = AnyDevice(180)
    for number, address in enumerate(CLIENTS):
        emulator.system.sdc_seen(f"5D9E4F2C-0000-4000-8000-00000000000{number}", address, connected=True)
    emulator.start()
    try:
        world = World(emulator, capsys)
        for document in pair:
            emulator.gateway.journal.reset()
            predicted = world.run(scaleio_topology.main, check=True, topology=document, prune=True)
            assert world.writes() == []
            done = world.done(scaleio_topology.main, topology=document, prune=True)
            assert done["steps"][: len(predicted["steps"])] == predicted["steps"]
            emulator.gateway.journal.reset()
            again = world.run(scaleio_topology.main, check=True, topology=document, prune=True)
            assert (again["changed"], again["steps"], world.writes()) == (False, [], [])
    finally:
        emulator.stop()


def test_the_checks_of_this_test_see_a_broken_limit() -> None:
    """A device lost without a step is such a moment: the data that was on it has one copy."""
    direct = Direct("3.6")
    servers = {name: f"198.51.100.{number}" for number, name in enumerate("abcd", 1)}
    bring(direct, {"devices": ["/dev/sdb"], "sds": servers}, random.Random(1))
    content.fill_pool(direct.system, "default", 60)
    require_sound(direct)
    direct.system.sds_seen("a", connected=False)
    with pytest.raises(AssertionError):
        require_sound(direct)
