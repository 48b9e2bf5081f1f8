"""What REX-Ray 0.11.4 reads from config.yml, for its ScaleIO driver and its Docker module.

Keys and types are those that its sources register; they are not case-sensitive there and are not here. REX-Ray itself
ignores what it does not know. The stand-in refuses it, because an ignored key is how a wrong role goes unnoticed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LEVELS = ("panic", "fatal", "error", "warn", "info", "debug")
DURATION = re.compile(r"(\d+(\.\d+)?(ns|us|ms|s|m|h))+")
OPERATIONS = "libstorage.integration.volume.operations"
KEYS = {
    "rexray.logLevel": "level",
    "rexray.host": "text",
    "rexray.service": "text",
    "rexray.module.startTimeout": "duration",
    "libstorage.host": "text",
    "libstorage.embedded": "switch",
    "libstorage.service": "text",
    "libstorage.os.driver": "text",
    "libstorage.storage.driver": "text",
    "libstorage.integration.driver": "text",
    "libstorage.logging.level": "level",
    "libstorage.logging.stdout": "text",
    "libstorage.logging.stderr": "text",
    "libstorage.logging.httpRequests": "switch",
    "libstorage.logging.httpResponses": "switch",
    "libstorage.http.disableKeepAlive": "switch",
    "libstorage.http.writeTimeout": "number",
    "libstorage.http.readTimeout": "number",
    "libstorage.executor.path": "text",
    "libstorage.executor.disableDownload": "switch",
    "libstorage.client.type": "text",
    "libstorage.client.tls": "switch",
    "libstorage.client.cache.instanceID": "duration",
    "libstorage.client.auth.token": "text",
    "libstorage.device.attachTimeout": "duration",
    "libstorage.device.scanType": "number",
    "libstorage.tls.disabled": "switch",
    "libstorage.tls.insecure": "switch",
    "libstorage.tls.serverName": "text",
    "libstorage.tls.knownHosts": "text",
    "libstorage.tls.verifyPeers": "switch",
    "libstorage.tls.clientCertRequired": "switch",
    "libstorage.tls.trustedCertsFile": "text",
    "libstorage.tls.certFile": "text",
    "libstorage.tls.keyFile": "text",
    "libstorage.server.autoEndpointMode": "text",
    "libstorage.server.parseRequestOpts": "switch",
    "libstorage.server.tasks.exeTimeout": "duration",
    "libstorage.server.tasks.logTimeout": "duration",
    "libstorage.server.endpoints.*.address": "text",
    "libstorage.server.services.*.driver": "text",
    f"{OPERATIONS}.mount.preempt": "switch",
    f"{OPERATIONS}.mount.path": "text",
    f"{OPERATIONS}.mount.rootPath": "text",
    f"{OPERATIONS}.mount.retryCount": "number",
    f"{OPERATIONS}.mount.retryWait": "duration",
    f"{OPERATIONS}.unmount.ignoreUsedCount": "switch",
    f"{OPERATIONS}.path.cache.enabled": "switch",
    f"{OPERATIONS}.path.cache.async": "switch",
    f"{OPERATIONS}.create.disable": "switch",
    f"{OPERATIONS}.create.implicit": "switch",
    f"{OPERATIONS}.create.default.size": "number",
    f"{OPERATIONS}.create.default.fsType": "text",
    f"{OPERATIONS}.create.default.availabilityZone": "text",
    f"{OPERATIONS}.create.default.type": "text",
    f"{OPERATIONS}.create.default.IOPS": "number",
    f"{OPERATIONS}.remove.disable": "switch",
    f"{OPERATIONS}.remove.force": "switch",
    "linux.volume.fileMode": "number",
    "linux.volume.rootPath": "text",
    "scaleio.guid": "text",
    "scaleio.drvCfg": "text",
    "scaleio.endpoint": "text",
    "scaleio.insecure": "switch",
    "scaleio.useCerts": "switch",
    "scaleio.userID": "text",
    "scaleio.userName": "text",
    "scaleio.password": "text",
    "scaleio.systemID": "text",
    "scaleio.systemName": "text",
    "scaleio.protectionDomainID": "text",
    "scaleio.protectionDomainName": "text",
    "scaleio.storagePoolID": "text",
    "scaleio.storagePoolName": "text",
    "scaleio.thinOrThick": "text",
    "scaleio.version": "text",
}
MODULE_KEYS = {"type": "text", "desc": "text", "host": "text", "spec": "text", "disabled": "switch"}
ROOTS = ("rexray", "libstorage", "scaleio", "linux")
_KNOWN = {key.lower(): kind for key, kind in KEYS.items()}


class BadConfiguration(Exception):
    """Everything that is wrong, one entry each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """What the driver needs, with the defaults of the real one."""

    service: str
    endpoint: str
    user: str
    password: str
    system: tuple[str, str]  # id and name: the id wins
    protection_domain: tuple[str, str]
    storage_pool: tuple[str, str]
    thin: bool
    operations: dict[str, Any]  # by the key's path below OPERATIONS, in lower case
    socket: str
    spec: str
    guid: str
    drv_cfg: str
    attach_timeout: str
    directory: str  # that is made in a volume when it is mounted; the operations' mount.rootpath is what callers get
    directory_mode: int


def read(document: Any) -> Settings:
    """Settings of a parsed config.yml, or BadConfiguration with all that is wrong with it."""
    problems: list[str] = []
    flat: dict[str, Any] = {}
    for path, value in _leaves(document if isinstance(document, dict) else {}):
        kind = _kind(path)
        if kind is None:
            problems.append(_unknown(path))
        elif not _fits(kind, value):
            problems.append(f"{path} is {value!r}: not a {kind}")
        else:
            flat[path.lower()] = value
    if not isinstance(document, dict):
        problems.append("the file is not a mapping")
    service = str(flat.get("libstorage.service", ""))
    inherited = f"libstorage.server.services.{service.lower()}."
    services = {path.split(".")[3] for path in flat if path.startswith("libstorage.server.services.")}

    def driver(name: str) -> str:
        return str(flat.get(f"{inherited}scaleio.{name}", flat.get(f"scaleio.{name}", "")))

    if not service:
        problems.append("libstorage.service is missing")
    elif services and service.lower() not in services:
        problems.append(f"libstorage.service is {service}, which is none of libstorage.server.services")
    elif flat.get(f"{inherited}driver", "scaleio" if services else service) != "scaleio":
        problems.append(f"the service {service} has another driver than scaleio, which the lab does not have")
    problems += _driver_problems(driver)
    if problems:
        raise BadConfiguration(problems)
    module = "rexray.modules.default-docker."
    return Settings(
        service=service,
        endpoint=driver("endpoint"),
        user=driver("username") or driver("userid"),
        password=driver("password"),
        system=(driver("systemid"), driver("systemname")),
        protection_domain=(driver("protectiondomainid"), driver("protectiondomainname")),
        storage_pool=(driver("storagepoolid"), driver("storagepoolname")),
        thin=driver("thinorthick") != "ThickProvisioned",
        operations={
            path[len(OPERATIONS) + 1 :]: value for path, value in flat.items() if path.startswith(f"{OPERATIONS}.")
        },
        socket=str(flat.get(f"{module}host", "unix:///run/docker/plugins/rexray.sock")).partition("unix://")[2],
        spec=str(flat.get(f"{module}spec", "/etc/docker/plugins/rexray.spec")),
        guid=driver("guid"),
        drv_cfg=driver("drvcfg") or "/opt/emc/scaleio/sdc/bin/drv_cfg",
        attach_timeout=str(flat.get("libstorage.device.attachtimeout", "30s")),
        directory=str(flat.get("linux.volume.rootpath", "/data")),
        directory_mode=int(flat.get("linux.volume.filemode", 0o700)),
    )


def seconds(duration: str) -> float:
    """Of a duration as Go writes it, such as 1m30s."""
    units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(ns|us|ms|s|m|h)", duration))


def _driver_problems(driver: Any) -> list[str]:
    problems = []
    url = urlsplit(driver("endpoint"))
    if url.scheme != "https" or not url.hostname or url.path.rstrip("/") != "/api":
        problems.append(f"scaleio.endpoint is {driver('endpoint')!r}: write https://GATEWAY/api")
    for names in (("username", "userid"), ("password",), ("systemname", "systemid"),
                  ("protectiondomainname", "protectiondomainid"), ("storagepoolname", "storagepoolid")):  # fmt: skip
        if not any(driver(name) for name in names):
            problems.append(f"scaleio.{names[0]} is missing")
    if driver("thinorthick") not in ("", "ThinProvisioned", "ThickProvisioned"):
        problems.append(f"scaleio.thinOrThick is {driver('thinorthick')}: ThinProvisioned or ThickProvisioned")
    return problems


def _leaves(node: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        path = f"{above}.{key}" if above else str(key)
        if isinstance(value, dict) and value:
            yield from _leaves(value, path)
        else:
            yield path, value


def _kind(path: str) -> str | None:
    """The kind of a key's value; what stands at the root may also stand below a module or a service."""
    low = path.lower()
    if low in _KNOWN:
        return _KNOWN[low]
    parts = low.split(".")
    for prefix in (["rexray", "modules"], ["libstorage", "server", "services"], ["libstorage", "server", "endpoints"]):
        if parts[: len(prefix)] != prefix or len(parts) <= len(prefix) + 1:
            continue
        below = ".".join(parts[len(prefix) + 1 :])
        if prefix[1] == "modules" and below in MODULE_KEYS:
            return MODULE_KEYS[below]
        if f"{'.'.join(prefix)}.*.{below}" in _KNOWN:
            return _KNOWN[f"{'.'.join(prefix)}.*.{below}"]
        return _KNOWN.get(below) if below.split(".", 1)[0] in ROOTS else None
    return None


def _fits(kind: str, value: Any) -> bool:
    if kind == "switch":
        return isinstance(value, bool)
    if kind == "number":
        return (isinstance(value, int) and not isinstance(value, bool)) or str(value).isdigit()
    if kind == "duration":
        return bool(DURATION.fullmatch(str(value)))
    if kind == "level":
        return value in LEVELS
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _unknown(path: str) -> str:
    close = difflib.get_close_matches(path, KEYS, 1)
    return f"{path} is no key that REX-Ray reads{f' (did you mean {close[0]}?)' if close else ''}"
