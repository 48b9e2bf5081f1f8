"""From a path of the REST API to the family of objects that answers it."""

from __future__ import annotations

import re
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lab.scaleio import (
    acceleration_pool,
    alerts,
    capacity,
    device,
    fault_set,
    mdm,
    peer_mdm,
    pool,
    protection_domain,
    replication_group,
    replication_pair,
    sdc,
    sds,
    snapshot_policy,
    statistics,
    users,
    volume,
    vtree,
)
from lab.scaleio.refusal import Refusal, invalid, unknown_path
from lab.scaleio.values import Body, object_id, text
from lab.scaleio.view import CHILDREN, TREE, view

if TYPE_CHECKING:
    from lab.scaleio.system import System

FAMILIES: dict[str, ModuleType] = {
    "ProtectionDomain": protection_domain, "FaultSet": fault_set, "StoragePool": pool, "Sds": sds, "Device": device,
    "Sdc": sdc, "Volume": volume, "VTree": vtree, "User": users, "System": mdm,
    "SnapshotPolicy": snapshot_policy, "AccelerationPool": acceleration_pool, "PeerMdm": peer_mdm,
    "ReplicationConsistencyGroup": replication_group, "ReplicationPair": replication_pair,
}  # fmt: skip
EMPTY_KINDS = ("RfcacheDevice", "ScsiInitiator")
BY_NAME = {"Domain": "ProtectionDomain", "Pool": "StoragePool", "Volume": "Volume"}

SESSION_TAG = 1

_LIST = re.compile(r"/api/types/(\w+)/instances")
_BY_NAME = re.compile(r"/api/types/(\w+)/instances/getByName::(.+)")
_TYPE_ACTION = re.compile(r"/api/types/(\w+)/instances/action/(\w+)")
_OBJECT = re.compile(r"/api/instances/(\w+)::([^/]+)")
_RELATION = re.compile(r"/api/instances/(\w+)::([^/]+)/relationships/(\w+)")
_ACTION = re.compile(r"/api/instances/(\w+)::([^/]+)/action/(\w+)")
_SYSTEM_ACTION = re.compile(r"/api/instances/System/action/(\w+)")


def dispatch(system: System, method: str, path: str, query: dict[str, str], body: object) -> object:
    path = path.rstrip("/")
    if method == "GET":
        return _get(system, path, query)
    if method == "POST":
        if not isinstance(body, dict):
            raise invalid("Request message is not valid: the body must be a JSON object")
        return _post(system, path, body)
    raise Refusal(0, f"Request method '{method}' not supported", status=405)


def _get(system: System, path: str, query: dict[str, str]) -> object:
    if path == "/api/version":
        return system.profile.api_version
    if path == "/api/instances":
        if _knows_it_all(system, query):
            return _unchanged(system)
        return system.cached("tree", lambda: tree(system))
    if match := _BY_NAME.fullmatch(path):
        return _get_by_name(system, match[1], match[2])
    if match := _LIST.fullmatch(path):
        return listing(system, match[1])
    if match := _RELATION.fullmatch(path):
        return _relation(system, match[1], match[2], match[3])
    if match := _OBJECT.fullmatch(path):
        return view(system, match[1], _object(system, match[1], match[2]))
    raise unknown_path(path)


def _post(system: System, path: str, body: Body) -> object:
    if path == "/api/instances/querySelectedStatistics":
        return statistics.query_all(system, body)
    if path == "/api/instances/System/queryMdmCluster":
        return mdm.cluster(system)
    if match := _TYPE_ACTION.fullmatch(path):
        return _type_action(system, match[1], match[2], body)
    if match := _LIST.fullmatch(path):
        create = getattr(_family(match[1], path), "create", None)
        if create is None:
            raise unknown_path(path)
        return create(system, body)
    if match := _SYSTEM_ACTION.fullmatch(path):
        return _act(system, "System", mdm.instance(system), path, body)
    if match := _ACTION.fullmatch(path):
        return _act(system, match[1], _object(system, match[1], match[2]), path, body)
    raise unknown_path(path)


def _act(system: System, kind: str, target: dict[str, Any], path: str, body: Body) -> object:
    accelerates = kind == "Device" and target["storagePoolId"] is None
    actions = acceleration_pool.DEVICE_ACTIONS if accelerates else _family(kind, path).ACTIONS
    function = actions.get(path.rpartition("/")[2])
    if function is None:
        raise unknown_path(path)
    answer = function(system, target, body)
    return {} if answer is None else answer


def _family(kind: str, path: str) -> ModuleType:
    if kind not in FAMILIES:
        raise unknown_path(path)
    return FAMILIES[kind]


def _object(system: System, kind: str, raw_id: str) -> dict[str, Any]:
    if kind not in FAMILIES:
        raise unknown_path(kind)
    identifier = object_id(unquote(raw_id))
    if kind == "System":
        if identifier != system.id:
            raise Refusal(3)
        return mdm.instance(system)
    if kind == "Device" and identifier in system.objects(acceleration_pool.DEVICE):
        return system.get(acceleration_pool.DEVICE, identifier)
    return system.get(kind, identifier)


def listing(system: System, kind: str) -> object:
    if kind == "System":
        return [view(system, "System", mdm.instance(system))]
    if kind == "Alert" and system.profile.alert_list:
        return alerts.current(system)
    if kind in EMPTY_KINDS and (kind != "ScsiInitiator" or not system.profile.media_types):
        return []
    if kind not in FAMILIES or (kind == "User" and not system.profile.users):
        raise unknown_path(kind)
    return system.cached(f"list {kind}", lambda: [view(system, kind, item) for item in _all(system, kind)])


def _all(system: System, kind: str) -> list[dict[str, Any]]:
    more = system.objects(acceleration_pool.DEVICE).values() if kind == "Device" else ()
    return [*system.objects(kind).values(), *more]


def tree(system: System) -> dict[str, object]:
    """Everything in one answer."""
    answer: dict[str, object] = {"System": view(system, "System", mdm.instance(system))}
    for key, kind in TREE.items():
        answer[key] = listing(system, kind) if kind not in EMPTY_KINDS else None
    answer.update(isDirty=False, **_versions(system))
    return answer


def _versions(system: System) -> dict[str, object]:
    return {"sessionTag": SESSION_TAG, **{f"last{kind}Version": system.generation for kind in TREE.values()}}


def _knows_it_all(system: System, query: dict[str, str]) -> bool:
    """Whether the caller names the state it has, and nothing has changed since."""
    has = (query.get("systemId"), query.get("sessionTag"), query.get("lastVersion"))
    return has == (system.id, str(SESSION_TAG), str(system.generation))


def _unchanged(system: System) -> dict[str, object]:
    return {"System": None, **dict.fromkeys(TREE), "isDirty": False, **_versions(system)}


def _relation(system: System, kind: str, raw_id: str, relation: str) -> object:
    target = _object(system, kind, raw_id)
    if relation == "Statistics":
        return statistics.of_object(system, kind, target)
    if relation not in CHILDREN.get(kind, {}):
        raise unknown_path(f"{kind}/relationships/{relation}")
    if kind == "System":
        return listing(system, relation)
    if kind == "Sdc":
        return [view(system, "Volume", item) for item in volume.mapped_to(system, target["id"])]
    if kind == "SnapshotPolicy":
        return [view(system, "Volume", system.get("Volume", source)) for source in target["_source_ids"]]
    if relation == "SpSds":
        return capacity.servers_of(system, target)
    if relation in EMPTY_KINDS:
        return []
    field = CHILDREN[kind][relation]
    if relation == "Device":
        accelerating = system.children(acceleration_pool.DEVICE, field, target["id"])
        held = [*system.children(relation, field, target["id"]), *accelerating]
        return [view(system, relation, child) for child in held]
    return [view(system, relation, child) for child in system.children(relation, field, target["id"])]


def _type_action(system: System, kind: str, action: str, body: Body) -> object:
    path = f"/api/types/{kind}/instances/action/{action}"
    if action == "querySelectedStatistics":
        return statistics.query_kind(system, kind, body)
    if action == "queryBySelectedIds":
        return [view(system, kind, _object(system, kind, str(item))) for item in body.get("ids") or []]
    if (kind, action) == ("Sdc", "queryAllApprovedSdc"):
        return [view(system, kind, item) for item in system.objects(kind).values() if item["sdcApproved"]]
    if action == "queryIdByKey":
        return _id_by_key(system, kind, body)
    function = getattr(_family(kind, path), "TYPE_ACTIONS", {}).get(action)
    if function is None:
        raise unknown_path(path)
    return function(system, body)


def _id_by_key(system: System, kind: str, body: Body) -> str:
    if kind == "Sdc":
        return str(sdc.find(system, body)["id"])
    if kind == "StoragePool":
        domain = body.get("protectionDomainId")
        if domain is None:
            domain = system.find("ProtectionDomain", text(body, "protectionDomainName"))["id"]
        return _named(system, kind, text(body, "name"), str(domain))
    return _named(system, kind, text(body, "name"), None)


def _named(system: System, kind: str, name: str, domain: str | None) -> str:
    for item in system.objects(kind).values():
        if item["name"] == name and domain in (None, item.get("protectionDomainId")):
            return str(item["id"])
    # Which code a volume gets is in this folder's README: clients of each version look for that version's.
    raise Refusal(79 if kind == "Volume" and system.profile.names_missing_volume else 3)


def _get_by_name(system: System, word: str, raw_name: str) -> str:
    if word not in BY_NAME:
        raise unknown_path(f"{word}/getByName")
    name = raw_name
    while (decoded := unquote(name)) != name:  # some clients encode twice
        name = decoded
    if word == "Pool":
        domain, _, pool_name = name.partition(",")
        return _named(system, "StoragePool", pool_name, domain)
    return _named(system, BY_NAME[word], name, None)
