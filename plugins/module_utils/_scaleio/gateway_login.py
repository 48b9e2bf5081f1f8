# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a Gateway on its own host, where its certificate proves nothing."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import uuid
from typing import Optional
from urllib.parse import quote

REQUEST_SECONDS = 20
# User of the MDM cluster, and administrator of the Gateway itself.
MDM_USER = ("/api/login", "/api/logout")
GATEWAY_ADMIN = ("/api/gatewayLogin", "/api/gatewayLogout")


class Administration:
    """A session of the Gateway's own administrator, for what has to be done before anybody else can log in."""

    def __init__(self, host: str, port: int, password: str) -> None:
        self._connection = _connect(host, port)
        status, body = self._send("GET", GATEWAY_ADMIN[0], _basic("admin", password))
        if status != 200:
            self._connection.close()
            raise GatewayRefusal(status, body)
        self._token = _basic("", body.strip().strip('"'))

    def certificate_of(self, address: str) -> str:
        """The certificate that the MDM at this address shows to the Gateway, as the Gateway hands it out."""
        status, body = self._send("GET", f"/api/getHostCertificate/Mdm?host={quote(address)}", self._token)
        if status != 200:
            raise GatewayRefusal(status, body)
        return str(json.loads(body)) if body.startswith('"') else body

    def trust(self, certificate: str) -> None:
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="mdm.pem"\r\n\r\n'
        form = f"{head}{certificate}\r\n--{edge}--\r\n"
        headers = {**self._token, "Content-Type": f"multipart/form-data; boundary={edge}"}
        status, body = self._send("POST", "/api/trustHostCertificate/Mdm", headers, form)
        if status != 200:
            raise GatewayRefusal(status, body)

    def close(self) -> None:
        try:
            self._send("GET", GATEWAY_ADMIN[1], self._token)
        except (OSError, http.client.HTTPException):
            pass  # it ends by itself
        finally:
            self._connection.close()

    def _send(self, method: str, path: str, headers: dict[str, str], body: Optional[str] = None) -> tuple[int, str]:
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")


class GatewayRefusal(Exception):
    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said[:200]}")
        self.status = status


def try_login(
    host: str, port: int, username: str, password: str, paths: tuple[str, str] = MDM_USER
) -> tuple[Optional[int], str]:
    """Status of the login and what the Gateway said; None when nobody answers."""
    connection = _connect(host, port)
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


def _connect(host: str, port: int) -> http.client.HTTPSConnection:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=REQUEST_SECONDS, context=context)


def _basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}
