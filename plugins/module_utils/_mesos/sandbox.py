# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task wrote, read from its agent; nothing depends on it, so it is never a reason to fail."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import JSON_HEADERS, OPERATOR_PATH
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import MesosError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import Endpoint, Transport

LONGEST_BYTES = 16384
PATIENCE_SECONDS = 5.0


def read(transport: Transport, url: dict[str, Any], framework_id: str, task_id: str, name: str) -> Optional[str]:
    """The beginning of a file of a command's sandbox; None when the agent does not show it.

    Agents may trust others than the masters do, so they are asked without credentials.
    """
    path = f"/frameworks/{framework_id}/executors/{task_id}/runs/latest/{name}"
    call = {"type": "READ_FILE", "read_file": {"path": path, "offset": 0, "length": LONGEST_BYTES}}
    try:
        address = url["address"]
        # a certificate is for the name, but only the address is sure to be reachable
        host = address["hostname"] if url["scheme"] == "https" else address.get("ip") or address["hostname"]
        link = transport.open(Endpoint(url["scheme"], host, int(address["port"])), PATIENCE_SECONDS)
        try:
            link.request("POST", OPERATOR_PATH, json.dumps(call), JSON_HEADERS)
            answer = json.loads(link.getresponse().read())
        finally:
            link.close()
        return base64.b64decode(answer["read_file"].get("data", "")).decode("utf-8", "replace")
    except (MesosError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
