"""Which user may make which call, by role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.scaleio.refusal import Refusal

if TYPE_CHECKING:
    from lab.scaleio.system import System

FRONTEND, BACKEND, SECURITY, SYSTEM = "frontend", "backend", "security", "system"
ALLOWED = {
    "SuperUser": {FRONTEND, BACKEND, SECURITY, SYSTEM},
    "Administrator": {FRONTEND, BACKEND, SECURITY, SYSTEM},
    "Configure": {FRONTEND, BACKEND},
    "FrontendConfig": {FRONTEND},
    "BackendConfig": {BACKEND},
    "Security": {SECURITY},
    "Monitor": set[str](),
}
FRONTEND_KINDS = ("Volume", "Sdc", "SnapshotPolicy", "VTree")
FRONTEND_SYSTEM_ACTIONS = ("snapshotVolumes", "removeConsistencyGroupSnapshots", "approveSdc", "setApprovedSdcIps")
_KIND = re.compile(r"/api/(?:types|instances)/(\w+)")


def area(method: str, path: str) -> str | None:
    """What a call changes; None if it only reads."""
    action = path.rstrip("/").rpartition("/")[2]
    if method == "GET" or action.startswith("query"):
        return None
    match = _KIND.match(path)
    kind = match[1] if match else "System"
    if kind == "System":
        return FRONTEND if action in FRONTEND_SYSTEM_ACTIONS else SYSTEM
    if kind == "User":
        return SECURITY
    return FRONTEND if kind in FRONTEND_KINDS else BACKEND


def require(system: System, user: str, method: str, path: str) -> None:
    """The MDM refuses with a code of its own in 2.x and another in 3.x; from 4.0 on the Gateway itself does."""
    changed = area(method, path)
    if changed is None:
        return
    with system.lock:
        roles = [known["userRole"] for known in system.objects("User").values() if known["name"] == user]
    if roles and changed in ALLOWED[roles[0]]:
        return
    if system.profile.bearer_login:
        raise Refusal(0, "Forbidden", status=403)
    raise Refusal(247 if system.profile.media_types else 168)
