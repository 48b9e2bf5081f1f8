"""The one call of Service Quotas that tells how much EBS storage an account may have; moto has no quotas of EBS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

STORAGE_TIB = {"L-7A658B76": "gp3", "L-D18FCD1D": "gp2", "L-FD252861": "io1", "L-09BD8365": "io2"}


def answer(
    body: bytes, storage_quota_tib: int, refused: Callable[[str, str], str]
) -> tuple[int, dict[str, Any]] | None:
    """None for what is not asked about EBS storage. `refused` says why an action on what is left of an ARN is."""
    asked = json.loads(body or b"{}")
    if asked.get("ServiceCode") != "ebs" or "QuotaCode" not in asked:
        return None
    code = asked["QuotaCode"]
    if why := refused("servicequotas:GetServiceQuota", f"ebs/{code}"):
        return 400, {"__type": "AccessDeniedException", "Message": why}
    if code not in STORAGE_TIB:
        return 400, {"__type": "NoSuchResourceException", "Message": f"There is no quota {code} for ebs."}
    quota = {
        "ServiceCode": "ebs",
        "QuotaCode": code,
        "QuotaName": f"Storage for {STORAGE_TIB[code]} volumes, in TiB",
        "Value": float(storage_quota_tib),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
    return 200, {"Quota": quota}
