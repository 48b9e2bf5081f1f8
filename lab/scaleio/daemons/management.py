"""What an MDM answers on its management port: scli, the Gateway and SDCs ask here."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from lab.scaleio.daemons import members, sessions, virtual_ips
from lab.scaleio.daemons.ballot import MANAGER, TIE_BREAKER
from lab.scaleio.daemons.codes import (
    BAD_ADDRESS,
    CONFIGURED_ALREADY,
    MUST_CHANGE_PASSWORD,
    NOT_ATTACHED,
    NOT_CONNECTED,
    NOT_MASTER,
    UNCERTAIN,
    WRONG_CLUSTER_STATE,
)
from lab.scaleio.daemons.node import NotPrimary
from lab.scaleio.refusal import Refusal
from lab.scaleio.system import System
from lab.scaleio.units import KIB_PER_GIB
from lab.scaleio.volume import client_guids, mapped_to

if TYPE_CHECKING:
    from lab.scaleio.daemons.mdm import Mdm, Reign

CLUSTER_ACTION = re.compile(r"/api/instances/System(?:::[0-9a-fA-F]+)?/(?:action/)?(\w+)$")
PUBLIC_PATH = "/api/version"
SYNC_SECONDS = 15.0


class Management:
    def __init__(self, mdm: Mdm) -> None:
        self._mdm = mdm
        self._cluster_lock = threading.Lock()  # one change of the members at a time
        self._operations: dict[str, Callable[[dict, str], dict]] = {
            "status": self._status,
            "create_mdm_cluster": self._create_cluster,
            "login": self._login,
            "set_password": self._set_password,
            "set_virtual_ips": self._set_virtual_ips,
            "rest": self._rest,
            "sdc_hello": self._sdc_hello,
            "sdc_write": self._sdc_write,
        }
        self._cluster_actions: dict[str, Callable[[Reign, dict], dict]] = {
            "addStandbyMdm": self._add_standby,
            "removeStandbyMdm": self._remove_standby,
            "switchClusterMode": self._switch_mode,
            "changeMdmOwnership": self._change_ownership,
            "renameMdm": self._rename_mdm,
            "modifyVirtualIpInterfaces": self._set_interfaces,
        }

    def answer(self, request: dict, client_ip: str) -> dict:
        operation = self._operations.get(str(request.get("op")))
        if operation is None:
            return {"ok": False, "code": 62, "message": f"Unknown operation {request.get('op')!r}"}
        try:
            return {"ok": True, **operation(request, client_ip)}
        except Refusal as refusal:
            return {"ok": False, "code": refusal.code, "message": refusal.message, "status": refusal.status}
        except NotPrimary:
            return self._not_master()

    def _not_master(self) -> dict:
        ballot = self._mdm.ballot
        if not ballot.attached:
            return {"ok": False, "code": NOT_ATTACHED, "message": "This MDM is not attached to a system."}
        leader = ballot.member(ballot.leader)
        known = leader["management_ips"] if leader and leader["id"] != ballot.node_id else []
        return {"ok": False, "code": NOT_MASTER, "message": "This MDM is not the master MDM.", "primary": known}

    def _reign(self) -> Reign:
        reign = self._mdm.reign
        if reign is None or not self._mdm.node.serving:
            raise NotPrimary
        return reign

    # -- before and at login

    def _status(self, _request: dict, _client_ip: str) -> dict:
        ballot, node = self._mdm.ballot, self._mdm.node
        repository = ballot.repository or {}
        return {
            "attached": ballot.attached,
            "role": ballot.role,
            "serving": node.serving,
            "epoch": ballot.promised,
            "in_sync": ballot.in_sync["ids"],
            "id": ballot.node_id,
            "change": [repository.get("epoch", 0), repository.get("number", 0)],
        }

    def _create_cluster(self, request: dict, _client_ip: str) -> dict:
        ballot = self._mdm.ballot
        if ballot.attached:
            raise Refusal(CONFIGURED_ALREADY, "The MDM is already configured: it belongs to an MDM cluster")
        if ballot.role != MANAGER:
            raise Refusal(WRONG_CLUSTER_STATE, "A tie-breaker cannot be the master MDM")
        if not request["ips"]:
            raise Refusal(62, "The master MDM needs an IP address")
        for ip in request["ips"]:
            if not _is_local(ip):
                raise Refusal(BAD_ADDRESS, f"The IP address {ip} is not an address of this MDM")
        member = members.new_member(
            name=request.get("name") or "MDM1",
            ips=request["ips"],
            management_ips=request["management_ips"],
            port=self._mdm.cluster_port,
            role=MANAGER,
            voter=True,
            virtual_ip_interfaces=request.get("virtual_ip_interfaces") or [],
        )
        _check_interfaces(member)
        cluster = members.new_cluster(member, request.get("virtual_ips"))
        system = System.create(
            profile=self._mdm.profile,
            probe=self._mdm.devices,
            auto_join=False,
            system_id=f"{int(cluster['id']):016x}",
        )
        state = {"system": system.to_json(), "session_key": sessions.new_key()}
        ballot.store({"epoch": 0, "number": 0, "state": state})
        ballot.found(member["id"], cluster)
        _wait_until(lambda: self._mdm.reign is not None, 10.0)
        return {"system_id": system.id}

    def _login(self, request: dict, _client_ip: str) -> dict:
        reign = self._reign()
        user, password = request["username"], request["password"]
        must_change = False
        try:
            reign.system.check_login(user, password)
        except Refusal as refusal:
            if refusal.code != MUST_CHANGE_PASSWORD:
                raise
            must_change = True
        self._mdm.node.check_serving()
        role = next((u["userRole"] for u in reign.system.objects("User").values() if u["name"] == user), "")
        return {
            "token": sessions.issue(reign.session_key, user, must_change),
            "system_id": reign.system.id,
            "role": "SuperUser" if user == "admin" else role,
            "must_change_password": must_change,
        }

    def _set_password(self, request: dict, _client_ip: str) -> dict:
        reign = self._reign()
        user = sessions.check(reign.session_key, request.get("token"), changing_password=True)
        reign.system.set_password(user, request["old_password"], request["new_password"])
        reign.flush()
        return {}

    # -- the model

    def _rest(self, request: dict, _client_ip: str) -> dict:
        reign = self._reign()
        if request.get("path") != PUBLIC_PATH:
            sessions.check(reign.session_key, request.get("token"))
        method, path, body = request["method"], request["path"], request.get("body")
        action = CLUSTER_ACTION.match(path) if method == "POST" else None
        if action and action[1] in self._cluster_actions:
            try:
                with self._cluster_lock:
                    return {"status": 200, "payload": self._cluster_actions[action[1]](reign, dict(body or {}))}
            except Refusal as refusal:
                return {"status": refusal.status, "payload": refusal.body()}
        status, payload = reign.system.rest(method, path, request.get("query") or {}, body)
        if method != "GET":
            reign.flush()
        self._mdm.node.check_serving()
        return {"status": status, "payload": payload}

    # -- SDCs

    def _sdc_hello(self, request: dict, client_ip: str) -> dict:
        reign = self._reign()
        guid = request["guid"]
        reign.monitor.sdc_reported(guid, request.get("ip") or client_ip, request.get("release"))
        system = reign.system
        with system.lock:
            sdc = _sdc(system, guid)
            mapped = mapped_to(system, sdc["id"])
            for volume in mapped:
                _count(system, volume, (request.get("written_kib") or {}).get(volume["id"], 0))
            volumes = [
                {
                    "id": volume["id"],
                    "name": volume["name"],
                    "size_kib": volume["sizeInKb"],
                    "sdcs": client_guids(system, volume),
                    "mapping": volume.get("_mapping_number", 0),
                }
                for volume in mapped
            ]
        reign.flush()
        cluster = self._mdm.ballot.cluster or {"members": []}
        managers = [member for member in cluster["members"] if member["voter"] and member["role"] == MANAGER]
        return {
            "system_id": system.id,
            "sdc_id": sdc["id"],
            "approved": sdc["sdcApproved"],
            "mdm_ips": cluster.get("virtual_ips") or [ip for member in managers for ip in member["ips"]],
            "volumes": volumes,
        }

    def _sdc_write(self, request: dict, _client_ip: str) -> dict:
        reign = self._reign()
        system = reign.system
        with system.lock:
            sdc = _sdc(system, request["guid"])
            volume = system.find("Volume", request["volume"])
            if volume not in mapped_to(system, sdc["id"]):
                raise Refusal(84)
            system.write_volume(volume["id"], request["gib"])
        reign.flush()
        return {}

    # -- the MDM cluster

    def _add_standby(self, reign: Reign, body: dict) -> dict:
        node, ballot = self._mdm.node, self._mdm.ballot
        member = members.new_member(
            name=body.get("name") or f"MDM{len(ballot.cluster['members']) + 1}",
            ips=_as_list(body.get("ips")),
            management_ips=_as_list(body.get("managementIps")),
            port=int(body.get("port") or self._mdm.cluster_port),
            role=members.role_of(str(body.get("role") or MANAGER)),
            voter=False,
            virtual_ip_interfaces=_as_list(body.get("virtIpIntfs")),
        )
        if not member["ips"]:
            raise Refusal(62, "The new MDM needs an IP address")
        cluster = members.with_standby(ballot.cluster, member)
        force = str(body.get("forceClean", "")).lower() == "true"
        if why_not := node.invite(member, cluster, force):
            raise Refusal(WRONG_CLUSTER_STATE, f"Could not add MDM {member['name']}: {why_not}")
        reign.change_cluster(cluster)
        return {"id": member["id"]}

    def _remove_standby(self, reign: Reign, body: dict) -> dict:
        member = members.find(self._mdm.ballot.cluster, str(body.get("id")))
        reign.change_cluster(members.without_standby(self._mdm.ballot.cluster, member))
        self._mdm.node.dismiss(member)
        return {}

    def _switch_mode(self, reign: Reign, body: dict) -> dict:
        node, ballot = self._mdm.node, self._mdm.ballot
        add = {MANAGER: _as_list(body.get("addSlaveMdmIdList")), TIE_BREAKER: _as_list(body.get("addTBIdList"))}
        remove = [*_as_list(body.get("removeSlaveMdmIdList")), *_as_list(body.get("removeTBIdList"))]
        cluster = members.switched(ballot.cluster, str(body.get("mode")), add, remove, ballot.node_id)
        for member in cluster["members"]:
            if member["voter"] and not _wait_until(lambda member=member: node.reachable(member), 3.0):
                raise Refusal(NOT_CONNECTED, f"MDM {member['name']} is not connected")
        reign.change_cluster(cluster)
        managers = {member["id"] for member in ballot.voters() if member["role"] == MANAGER}
        if not _wait_until(lambda: managers <= set(ballot.in_sync["ids"]), SYNC_SECONDS):
            raise Refusal(UNCERTAIN, "The mode is switched, but a slave MDM has not received the repository yet")
        reign.show_cluster()
        reign.flush()
        return {}

    def _change_ownership(self, reign: Reign, body: dict) -> dict:
        ballot = self._mdm.ballot
        member = members.find(ballot.cluster, str(body.get("id")))
        if member["id"] == ballot.node_id:
            raise Refusal(WRONG_CLUSTER_STATE, f"MDM {member['name']} is the master already")
        if member["role"] != MANAGER or not member["voter"]:
            raise Refusal(WRONG_CLUSTER_STATE, f"MDM {member['name']} is not a slave MDM")
        reign.flush()
        if why_not := self._mdm.node.hand_over(member):
            raise Refusal(WRONG_CLUSTER_STATE, f"Could not switch ownership to {member['name']}: {why_not}")
        return {}

    def _rename_mdm(self, reign: Reign, body: dict) -> dict:
        member = members.find(self._mdm.ballot.cluster, str(body.get("id")))
        reign.change_cluster(members.renamed(self._mdm.ballot.cluster, member, str(body.get("newName"))))
        return {}

    # -- virtual IPs

    def _set_interfaces(self, reign: Reign, body: dict) -> dict:
        ballot = self._mdm.ballot
        member = members.find(ballot.cluster, str(body.get("id")))
        changed = {**member, "virtual_ip_interfaces": _as_list(body.get("virtIpIntfs"))}
        if member["id"] == ballot.node_id:
            _check_interfaces(changed)
        elif why_not := self._mdm.node.invite(changed, ballot.cluster, force_clean=False):
            raise Refusal(WRONG_CLUSTER_STATE, f"Could not change MDM {member['name']}: {why_not}")
        reign.change_cluster(members.with_interfaces(ballot.cluster, member, changed["virtual_ip_interfaces"]))
        return {}

    def _set_virtual_ips(self, request: dict, _client_ip: str) -> dict:
        """Only scli has this; no REST call of the product is known."""
        reign = self._reign()
        sessions.check(reign.session_key, request.get("token"))
        with self._cluster_lock:
            reign.change_cluster(members.with_virtual_ips(self._mdm.ballot.cluster, _as_list(request.get("ips"))))
        return {}


def _check_interfaces(member: dict) -> None:
    if absent := virtual_ips.unknown(member["virtual_ip_interfaces"]):
        raise Refusal(BAD_ADDRESS, f"MDM {member['name']} has no network interface {', '.join(absent)}")


def _as_list(value: object) -> list[str]:
    if value is None or value == "":
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _sdc(system: System, guid: str) -> dict:
    found = next((sdc for sdc in system.objects("Sdc").values() if sdc["sdcGuid"] == guid.upper()), None)
    if found is None:
        raise Refusal(80)
    return found


def _count(system: System, volume: dict, held_kib: int) -> None:
    """What a client's device holds was written; the model may know of more. A full pool does not stop the device."""
    more_kib = held_kib - volume["_written_kib"]
    if more_kib > 0:
        with suppress(Refusal):
            system.write_volume(volume["id"], more_kib / KIB_PER_GIB)


def _is_local(ip: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ip, 0))
        except OSError:
            return False
    return True


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
