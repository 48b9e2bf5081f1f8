# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""May a host leave now, for a while or for good, and is everything well? Pure judgement over what the clusters say.

A host that is on its way already, because an earlier run was interrupted, is never held against itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from . import capacity
from .model import Snapshot, StoragePool, snapshot_from

SERVING = ("leader", "follower", "observer", "standalone")
NO_MAINTENANCE = "NoMaintenance"
CONNECTED = "Connected"
AWAY, GONE = "away", "gone"


@dataclass(frozen=True)
class Host:
    """Who leaves: its addresses as the clusters know it, and the names of its agent and its ZooKeeper server."""

    name: str
    addresses: tuple[str, ...]
    agent: str = ""

    def has(self, addresses: Iterable[str]) -> bool:
        return bool(set(self.addresses) & set(addresses))


NOBODY = Host("", ())


@dataclass(frozen=True)
class View:
    """Both clusters and ZooKeeper at one moment.

    mdm is what scaleio_mdm_cluster returns, mesos what mesos_info returns, zookeeper the state of each server by the
    name of its host; each may be empty where there is none.
    """

    scaleio: Optional[Snapshot]
    mdm: Mapping[str, Any]
    mesos: Mapping[str, Any]
    zookeeper: Mapping[str, str]


def view_from(seen: Mapping[str, Any]) -> View:
    """From what the info modules return: {scaleio, mdm, mesos, zookeeper}, each of which may be missing."""
    return View(
        scaleio=snapshot_from(seen["scaleio"]) if seen.get("scaleio") else None,
        mdm=seen.get("mdm") or {},
        mesos=seen.get("mesos") or {},
        zookeeper=seen.get("zookeeper") or {},
    )


def host_from(given: Mapping[str, Any]) -> Host:
    return Host(given["name"], tuple(given["addresses"]), given.get("agent") or "")


def objections(view: View, host: Host, leaving: str) -> list[str]:
    """Why the host must not leave now; `leaving` is away (it comes back) or gone. Empty when it may."""
    against = _mdm_findings(view.mdm, host) + _mdm_objections(view.mdm, host, leaving)
    against += _quorum_objections("ZooKeeper servers", _zookeeper_votes(view.zookeeper), host.name)
    against += _quorum_objections("Mesos masters", _master_votes(view.mesos, host), host.name)
    against += _agent_objections(view.mesos, host)
    if view.scaleio is not None:
        against += _storage_findings(view.scaleio, host) + _pool_objections(view.scaleio, host, leaving)
    # Of who goes for good this is waited for.
    own = rebuilding(view, host) if leaving == GONE else []
    return [one for one in dict.fromkeys(against) if one not in own]


def rebuilding(view: View, host: Host) -> list[str]:
    """What the pools still copy because the storage servers of this host died; empty when others may be the cause."""
    if view.scaleio is None:
        return []
    own = {sds.id for sds in view.scaleio.sds if host.has(address.ip for address in sds.ips)}
    dead = {sds.id for sds in view.scaleio.sds if sds.id in own and sds.connection_state != CONNECTED}
    others = [sds for sds in view.scaleio.sds if sds.id not in own and not sds.healthy]
    broken = [device for device in view.scaleio.devices if device.sds_id not in own and not device.healthy]
    if others or broken:
        return []
    pools = {device.storage_pool_id for device in view.scaleio.devices if device.sds_id in dead}
    return [
        finding
        for pool in view.scaleio.storage_pools
        if pool.id in pools and not pool.capacity.failed_kib
        for finding in _pool_findings(pool)
    ]


def missing(view: View, host: Host = NOBODY) -> list[str]:
    """What is not well, or not back, after a host came or came back; without a host, what is not well at all."""
    found = _mdm_findings(view.mdm, NOBODY)
    if view.scaleio is not None:
        found += _storage_findings(view.scaleio, NOBODY)
        for sdc in view.scaleio.sdcs:
            if host.has([sdc.ip]) and sdc.connection_state != CONNECTED:
                found.append(f"the SDC of {host.name} is {sdc.connection_state}")
    if not _zookeeper_votes(view.zookeeper).get(host.name, True):
        found.append(f"the ZooKeeper server of {host.name} does not serve")
    if not _master_votes(view.mesos, host).get(host.name, True):
        found.append(f"the Mesos master of {host.name} does not answer")
    states = _agent_states(view.mesos, host)
    if states not in (None, ["active"]):
        found.append(f"the Mesos agent of {host.name} is {', '.join(states or []) or 'not registered'}")
    return found


def in_turn(hosts: Sequence[Host], view: View) -> list[str]:
    """The hosts' names in the order in which they may leave.

    Who is out already, because an earlier run was interrupted, comes first, since meanwhile nobody else may leave.
    Whoever leads comes last, so that the lead moves once.
    """
    voters = {role: view.mdm.get(role) or [] for role in ("tie_breakers", "secondaries")}
    primary = view.mdm.get("primary") or {}
    leaders = [name for name, state in view.zookeeper.items() if state == "leader"]
    leading = view.mesos.get("leader") or {}

    def weight(host: Host) -> tuple[bool, bool, bool, int]:
        rank = 0
        for number, role in enumerate(("tie_breakers", "secondaries"), 1):
            if any(host.has(member["ips"]) for member in voters[role]):
                rank = number
        if host.has(primary.get("ips") or []):
            rank = 3
        leads = host.has([leading.get("ip", ""), leading.get("hostname", "")])
        return not _is_out(view, host), leads, host.name in leaders, rank

    return [host.name for host in sorted(hosts, key=weight)]


@dataclass(frozen=True)
class Restarts:
    """What is left of a rolling restart: who is to be restarted, who was and has only to be taken back, who is done.

    begun is the start of each host from which it is to be restarted.
    """

    begun: Mapping[str, str]
    due: tuple[str, ...]
    unfinished: tuple[str, ...]
    done: tuple[str, ...]


def restarts(starts: Mapping[str, str], marks: Mapping[str, Mapping[str, str]]) -> Restarts:
    """Go on with a rolling restart that was interrupted, or begin one.

    starts has what tells this start of each host from others. marks has, by host, the mark that an earlier run left
    there, which is the starts of all its hosts when it began; each host loses its mark once it is back.
    """
    known = {name: start for mark in marks.values() for name, start in mark.items()}
    begun = {name: known.get(name, start) for name, start in starts.items()}
    due = tuple(name for name in starts if begun[name] == starts[name])
    unfinished = tuple(name for name in starts if name not in due and marks.get(name))
    if not due and not unfinished:
        return Restarts(dict(starts), tuple(starts), (), ())
    return Restarts(begun, due, unfinished, tuple(name for name in starts if name not in due + unfinished))


def mappings(snapshot: Snapshot, host: Host) -> list[dict[str, Any]]:
    """The volumes that the host sees, each with who is to see it without the host, as scaleio_volume takes it."""
    own = {sdc.id for sdc in snapshot.sdcs if host.has([sdc.ip])}
    return [
        {
            "id": volume.id,
            "name": volume.name,
            "map_to": [{"sdc": sdc} for sdc in volume.mapped_sdc_ids if sdc not in own],
        }
        for volume in snapshot.volumes
        if own & set(volume.mapped_sdc_ids)
    ]


def short_of_spare(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Pools whose spare no longer covers their largest fault unit, with the percentage that does."""
    found = []
    for pool in snapshot.storage_pools:
        floor = capacity.spare_floor_percent(capacity.pool_fault_units_kib(snapshot, pool.id).values() or [0])
        if pool.spare_percentage < floor:
            found.append({"id": pool.id, "name": pool.name, "spare_percentage": floor})
    return found


def _agent_states(mesos: Mapping[str, Any], host: Host) -> Optional[list[str]]:
    """The states of the agents of this name; None where there is none to look at."""
    if not host.agent or not mesos:
        return None
    return [agent["state"] for agent in mesos.get("agents") or [] if agent["hostname"] == host.agent]


def _is_out(view: View, host: Host) -> bool:
    """Whether it left the clusters and has not been taken back."""
    own = [sds for sds in view.scaleio.sds if host.has(address.ip for address in sds.ips)] if view.scaleio else []
    return _agent_states(view.mesos, host) not in (None, ["active"]) or not all(sds.healthy for sds in own)


def _members(mdm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those that vote."""
    primary = [mdm["primary"]] if mdm.get("primary") else []
    return [*primary, *(mdm.get("secondaries") or []), *(mdm.get("tie_breakers") or [])]


def _label(member: Mapping[str, Any]) -> str:
    return str(member.get("name") or ", ".join(member.get("ips") or []))


def _mdm_findings(mdm: Mapping[str, Any], without: Host) -> list[str]:
    if not mdm or mdm.get("mode") == "OneNode":
        return []
    lost = [member for member in _members(mdm) if member.get("status") != "Normal"]
    others = [member for member in lost if not without.has(member["ips"])]
    if others:
        return [
            f"MDM {_label(member)} is {member['status']}, so the MDM cluster is {mdm['state']}" for member in others
        ]
    # Without a member to blame, or with the host itself to blame, the state of the whole says nothing more.
    return [] if lost or mdm["state"] == "ClusteredNormal" else [f"the MDM cluster is {mdm['state']}"]


def _mdm_objections(mdm: Mapping[str, Any], host: Host, leaving: str) -> list[str]:
    own = [member for member in _members(mdm) if host.has(member["ips"])] if mdm else []
    if not own:
        return []
    if leaving == GONE:
        return [
            f"{host.name} votes in the MDM cluster of mode {mdm['mode']}; let a standby take its place first, or "
            "switch to a mode with fewer members (scaleio_mdm_cluster)"
        ]
    if mdm["mode"] == "OneNode":
        return [f"{host.name} has the only MDM, without which no volume can be changed; add members first"]
    heirs = [member for member in mdm.get("secondaries") or [] if member.get("status") == "Normal"]
    if host.has(mdm["primary"]["ips"]) and not heirs:
        return [f"{host.name} has the primary MDM, and no secondary is there to take over"]
    return []


def _storage_findings(snapshot: Snapshot, without: Host) -> list[str]:
    found = []
    own = {sds.id for sds in snapshot.sds if without.has(address.ip for address in sds.ips)}
    for sds in snapshot.sds:
        if sds.id not in own and not sds.healthy:
            states = f"{sds.membership_state}, {sds.connection_state}, {sds.maintenance_state}"
            found.append(f"SDS {sds.name} is not well ({states})")
    for device in snapshot.devices:
        if device.sds_id not in own and not device.healthy:
            label = device.name or device.path
            found.append(f"device {label} is {device.state} with error state {device.error_state}")
    for pool in snapshot.storage_pools:
        found += _pool_findings(pool)
    return found


def _pool_findings(pool: StoragePool) -> list[str]:
    sizes = pool.capacity
    if sizes.failed_kib:
        return [f"storage pool {pool.name} has lost {capacity.gib_from_kib(sizes.failed_kib):g} GiB"]
    if sizes.degraded_kib:
        return [f"storage pool {pool.name} has {capacity.gib_from_kib(sizes.degraded_kib):g} GiB with one copy only"]
    if sizes.rebuild_pending_kib:
        return [
            f"storage pool {pool.name} has {capacity.gib_from_kib(sizes.rebuild_pending_kib):g} GiB left to rebuild"
        ]
    return []


def _pool_objections(snapshot: Snapshot, host: Host, leaving: str) -> list[str]:
    own = [sds for sds in snapshot.sds if host.has(address.ip for address in sds.ips)]
    against = []
    for sds in own:
        if leaving == AWAY and sds.connection_state != CONNECTED and sds.maintenance_state == NO_MAINTENANCE:
            against.append(
                f"SDS {sds.name} is {sds.connection_state}, so its data is being rebuilt elsewhere; repair it"
            )
    ids = {sds.id for sds in own if not (leaving == GONE and sds.state == "RemovePending")}
    for pool in snapshot.storage_pools:
        if any(device.sds_id in ids and device.storage_pool_id == pool.id for device in snapshot.devices):
            against += _loss(snapshot, pool, ids, leaving)
    return against


def _loss(snapshot: Snapshot, pool: StoragePool, sds_ids: set[str], leaving: str) -> list[str]:
    """Can the pool be without these storage servers?"""
    unit_of = {sds.id: sds.fault_unit_id for sds in snapshot.sds}
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for device in snapshot.devices:
        if device.storage_pool_id == pool.id:
            unit = unit_of[device.sds_id]
            before[unit] = before.get(unit, 0) + device.capacity_limit_kib
            if device.sds_id not in sds_ids:
                after[unit] = after.get(unit, 0) + device.capacity_limit_kib
    if leaving == AWAY:
        # Its data stays where it is, so only the other copy has to be there.
        return (
            [] if len(after) > 1 or not pool.capacity.in_use_kib else [f"storage pool {pool.name} has no second copy"]
        )
    if len(after) < capacity.MINIMUM_FAULT_UNITS:
        return [
            f"storage pool {pool.name} would be left with {len(after)} fault units of the "
            f"{capacity.MINIMUM_FAULT_UNITS} that it needs; add a host first"
        ]
    spare_percentage = max(pool.spare_percentage, capacity.spare_floor_percent(after.values()))
    room_kib = capacity.effective_raw_kib(after.values())
    room_kib -= capacity.spare_kib(sum(after.values()), spare_percentage)
    if pool.capacity.in_use_kib > room_kib:
        used, room = (capacity.gib_from_kib(kib) for kib in (pool.capacity.in_use_kib, room_kib))
        return [
            f"storage pool {pool.name} holds {used:g} GiB, and would have room for {room:g} GiB beside a spare of "
            f"{spare_percentage} %; let it grow or delete data first"
        ]
    return []


def _zookeeper_votes(servers: Mapping[str, str]) -> dict[str, bool]:
    return {name: state in SERVING for name, state in servers.items()}


def _master_votes(mesos: Mapping[str, Any], host: Host) -> dict[str, bool]:
    """By address; the host's own master goes by the host's name."""
    votes = {}
    for master in mesos.get("masters") or []:
        address = str(master["url"]).rsplit("/", 1)[-1].rsplit(":", 1)[0].strip("[]")
        votes[host.name if host.has([address]) else address] = bool(master["reachable"])
    return votes


def _quorum_objections(what: str, votes: Mapping[str, bool], name: str) -> list[str]:
    """A majority has to be left of those that are there now."""
    if name not in votes:
        return []
    down = sorted(key for key, there in votes.items() if key != name and not there)
    left, majority = len(votes) - 1 - len(down), len(votes) // 2 + 1
    if left >= majority:
        return []
    because = f" ({', '.join(down)} down)" if down else ""
    return [f"without {name}, {left} of {len(votes)} {what} would be left{because}, and {majority} are needed"]


def _agent_objections(mesos: Mapping[str, Any], host: Host) -> list[str]:
    """Its tasks must have somewhere to go."""
    agents = mesos.get("agents") or []
    own = [agent for agent in agents if host.agent and host.agent == agent["hostname"]]
    others = [agent for agent in agents if agent not in own and agent["state"] == "active"]
    if own and not others:
        return [f"no other Mesos agent is active, so the tasks of {host.agent} could go nowhere"]
    return []
