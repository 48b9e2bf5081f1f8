# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to one Gateway: kept-alive connections, one a thread, and what failed in terms of the network."""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import threading
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.tls import reason, tls_context

from .errors import AnswerLost, BadConnectionOption, CertificateRejected, GatewayUnreachable

ELSEWHERE_SECONDS = 5


@dataclass(frozen=True)
class Connection:
    host: str
    port: int = 443
    username: str = "admin"
    password: str = field(default="", repr=False)
    validate_certs: bool = True
    ca_path: Optional[str] = None
    timeout_seconds: int = 30
    use_tls: bool = True
    # Further Gateways of the same system.
    other_hosts: tuple[str, ...] = ()
    # One that does not even take the connection is not worth the whole time where there is another.
    connect_seconds: Optional[int] = None

    def each(self) -> list[Connection]:
        """A connection for each Gateway alone."""
        if not self.other_hosts:
            return [self]
        brief = min(self.timeout_seconds, ELSEWHERE_SECONDS)
        hosts = (self.host, *self.other_hosts)
        return [replace(self, host=host, other_hosts=(), connect_seconds=brief) for host in hosts]

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes

    @property
    def is_page(self) -> bool:
        """HTML of an ingress or a proxy in front. Told by what it is, since a Gateway may call any answer text/html."""
        return self.body.lstrip()[:1] == b"<"

    def json(self) -> Any:
        """The decoded body; some actions answer nothing."""
        if not self.body.strip() or self.is_page:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode("utf-8", "replace").strip()


class NotSent(Exception):
    """Nothing of the request reached the Gateway, so it may be repeated safely."""


class Transport:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tls = (
            tls_context(connection.ca_path, connection.validate_certs, BadConnectionOption)
            if connection.use_tls
            else None
        )
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[http.client.HTTPConnection] = []

    def send(self, method: str, path: str, headers: dict[str, str], body: Optional[bytes]) -> Response:
        link = self._link()
        try:
            link.request(method, path, body=body, headers=headers)
            answer = link.getresponse()
            return Response(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self._drop(link)
            what = f"{method} {path}"
            raise AnswerLost(
                f"The ScaleIO Gateway {self._connection.place} gave no answer to {what} ({reason(error)}).",
                remedy="Check the Gateway's load and log, and raise timeout_seconds if it is only slow.",
                about=what,
            ) from error

    def close(self) -> None:
        with self._lock:
            links, self._open = self._open, []
        for link in links:
            link.close()

    def _link(self) -> http.client.HTTPConnection:
        link: Optional[http.client.HTTPConnection] = getattr(self._local, "link", None)
        # A readable idle socket can only mean that the Gateway has closed it: open another before anything is sent.
        if link is not None and link.sock is not None and not select.select([link.sock], [], [], 0)[0]:
            return link
        if link is not None:
            self._drop(link)
        link = self._connect()
        self._local.link = link
        with self._lock:
            self._open.append(link)
        return link

    def _connect(self) -> http.client.HTTPConnection:
        to = self._connection
        seconds = to.connect_seconds or to.timeout_seconds
        link: http.client.HTTPConnection
        if self._tls is None:
            link = http.client.HTTPConnection(to.host, to.port, timeout=seconds)
        else:
            link = http.client.HTTPSConnection(to.host, to.port, timeout=seconds, context=self._tls)
        try:
            link.connect()
        except ssl.SSLCertVerificationError as error:
            raise CertificateRejected(
                f"The certificate of the ScaleIO Gateway {to.place} is not accepted: {error.verify_message}.",
                remedy="Set ca_path to the certificate of the CA that signed it and gateway_host to a name it carries.",
                server=error.verify_message,
                about=to.place,
            ) from error
        except socket.gaierror as error:
            raise GatewayUnreachable(
                f"The name of the ScaleIO Gateway {to.host} cannot be resolved.",
                remedy="Correct gateway_host.",
                about=to.place,
            ) from error
        except ssl.SSLError as error:
            raise NotSent(f"TLS failed: {error.reason or error}; is gateway_port the Gateway's HTTPS port?") from error
        except OSError as error:
            raise NotSent(reason(error)) from error
        link.sock.settimeout(to.timeout_seconds)
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    def _drop(self, link: http.client.HTTPConnection) -> None:
        self._local.link = None
        with self._lock:
            if link in self._open:
                self._open.remove(link)
        link.close()
