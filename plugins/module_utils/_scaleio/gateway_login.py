# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Gateway lets somebody log in, asked on its own host, where its certificate proves nothing."""

from __future__ import annotations

import base64
import http.client
import ssl
from typing import Optional

REQUEST_SECONDS = 20
# User of the MDM cluster, and administrator of the Gateway itself.
MDM_USER = ("/api/login", "/api/logout")
GATEWAY_ADMIN = ("/api/gatewayLogin", "/api/gatewayLogout")


def try_login(
    host: str, port: int, username: str, password: str, paths: tuple[str, str] = MDM_USER
) -> tuple[Optional[int], str]:
    """Status of the login and what the Gateway said; None when nobody answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, port, timeout=REQUEST_SECONDS, context=context)
    login, logout = paths
    try:
        connection.request("GET", login, headers=_basic(username, password))
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
        if answer.status == 200:
            connection.request("GET", logout, headers=_basic("", body.strip().strip('"')))
            connection.getresponse().read()
            return 200, ""
        return answer.status, body[:200]
    except (OSError, http.client.HTTPException) as error:
        return None, str(error)
    finally:
        connection.close()


def _basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}
