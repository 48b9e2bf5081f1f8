"""Protection domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal
from lab.scaleio.values import Body, choice, name, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
MAX_DOMAINS = 256
SLOWEST_LIMIT_KBPS = 5 * 1024
THROTTLES = {
    "rebuildLimitInKbps": "rebuildNetworkThrottling",
    "rebalanceLimitInKbps": "rebalanceNetworkThrottling",
    "vtreeMigrationLimitInKbps": "vtreeMigrationNetworkThrottling",
    "overallLimitInKbps": "overallIoNetworkThrottling",
}


def require_free_name(system: System, wanted: str) -> str:
    if any(domain["name"] == wanted for domain in system.objects("ProtectionDomain").values()):
        raise Refusal(141)
    return name(wanted)


def create(system: System, body: Body) -> object:
    if len(system.objects("ProtectionDomain")) >= MAX_DOMAINS:
        raise Refusal(140)
    fields: Object = {
        "name": require_free_name(system, text(body, "name")), "systemId": system.id,
        "protectionDomainState": "Active",
        "rfcacheEnabled": True, "rfcacheOpertionalMode": "WriteMiss",
        "rfcachePageSizeKb": 64, "rfcacheMaxIoSizeKb": 128,
    }  # fmt: skip
    fields.update(
        fglDefaultNumConcurrentWrites=1000, fglMetadataCacheEnabled=False, fglDefaultMetadataCacheSize=0,
        replicationCapacityMaxRatio=None, sdrSdsConnectivityInfo={
            "clientServerConnStatus": "CLIENT_SERVER_CONN_STATUS_ALL_CONNECTED", "disconnectedClientId": None,
            "disconnectedClientName": None, "disconnectedServerId": None, "disconnectedServerName": None,
            "disconnectedServerIp": None,
        },
    )  # fmt: skip
    for throttle in THROTTLES.values():
        fields.update({f"{throttle}Enabled": False, f"{throttle}InKbps": None})
    return {"id": system.add("ProtectionDomain", fields)["id"]}


def _rename(system: System, domain: Object, body: Body) -> None:
    system.set(domain, name=require_free_name(system, text(body, "name")))


def _remove(system: System, domain: Object, body: Body) -> None:
    for kind, code in (("StoragePool", 176), ("Sds", 143), ("FaultSet", 269)):
        if system.children(kind, "protectionDomainId", domain["id"]):
            raise Refusal(code)
    system.drop("ProtectionDomain", domain["id"])


def _activate(system: System, domain: Object, body: Body) -> None:
    system.set(domain, protectionDomainState="Active")


def _inactivate(system: System, domain: Object, body: Body) -> None:
    system.set(domain, protectionDomainState="Inactive")


def _set_limits(system: System, domain: Object, body: Body) -> None:
    limits = {key: whole(body, key) for key in THROTTLES if body.get(key) not in (None, "")}
    overall = limits.get("overallLimitInKbps", 0)
    if any(0 < value <= SLOWEST_LIMIT_KBPS for value in limits.values()):
        raise Refusal(307)
    if overall and any(value > overall for value in limits.values()):
        raise Refusal(307)
    for key, value in limits.items():
        throttle = THROTTLES[key]
        system.set(domain, **{f"{throttle}Enabled": value > 0, f"{throttle}InKbps": value or None})


def _rfcache(enabled: bool) -> Any:
    return lambda system, domain, body: system.set(domain, rfcacheEnabled=enabled)


def _set_rfcache(system: System, domain: Object, body: Body) -> None:
    modes = ("None", "Read", "Write", "ReadAndWrite", "WriteMiss")
    if "rfcacheOperationMode" in body:
        system.set(domain, rfcacheOpertionalMode=choice(body, "rfcacheOperationMode", modes))
    if "pageSizeKb" in body:
        system.set(domain, rfcachePageSizeKb=whole(body, "pageSizeKb"))
    if "maxIOSizeKb" in body:
        system.set(domain, rfcacheMaxIoSizeKb=whole(body, "maxIOSizeKb"))


def _metadata_cache(enabled: bool) -> Callable[[System, Object, Body], None]:
    return lambda system, domain, body: system.set(domain, fglMetadataCacheEnabled=enabled)


def _set_metadata_cache_size(system: System, domain: Object, body: Body) -> None:
    if not system.profile.media_types:
        raise Refusal(62)
    system.set(domain, fglDefaultMetadataCacheSize=whole(body, "cacheSizeInMB"))


ACTIONS = {
    "setProtectionDomainName": _rename,
    "removeProtectionDomain": _remove,
    "activateProtectionDomain": _activate,
    "inactivateProtectionDomain": _inactivate,
    "setSdsNetworkLimits": _set_limits,
    "enableSdsRfcache": _rfcache(True),
    "disableSdsRfcache": _rfcache(False),
    "setRfcacheParameters": _set_rfcache,
    "enableFglMetadataCache": _metadata_cache(True),
    "disableFglMetadataCache": _metadata_cache(False),
    "setDefaultFglMetadataCacheSize": _set_metadata_cache_size,
}
