# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much storage an account may have, as Service Quotas says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import session_of
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import translate

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # ebs modules say what is missing
    pass

# Of the service ebs: storage for volumes of a type in a Region, in TiB.
STORAGE_QUOTAS = {
    "gp3": "L-7A658B76",
    "gp2": "L-D18FCD1D",
    "io1": "L-FD252861",
    "io2": "L-09BD8365",
}
TIB_GIB = 1024


class Quotas:
    """A client of Service Quotas for the connection options of a module."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._client = session_of(params).client("service-quotas", endpoint_url=params["endpoint_url"])
        self.api_calls: Counter[str] = Counter()

    def storage_gib(self, volume_type: str) -> int:
        """What all volumes of the type in the Region may have together."""
        code = STORAGE_QUOTAS[volume_type]
        self.api_calls["GetServiceQuota"] += 1
        try:
            answer = self._client.get_service_quota(ServiceCode="ebs", QuotaCode=code)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "get_service_quota", f"quota {code} of ebs") from error
        return int(answer["Quota"]["Value"] * TIB_GIB)
