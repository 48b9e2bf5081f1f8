# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to Mesos masters and Marathon: where they are, TLS, and one request at a time."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass, field
from typing import Optional
from urllib.parse import urlsplit

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.tls import tls_context
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    BadOption,
    CertificateRejected,
)

DEFAULT_PORT = 5050


@dataclass(frozen=True)
class Endpoint:
    """A server's address."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Connection:
    masters: tuple[Endpoint, ...]
    username: str = ""
    password: str = field(default="", repr=False)
    validate_certs: bool = True
    ca_path: Optional[str] = None
    timeout_seconds: int = 30


def parse_endpoint(
    text: str, scheme: str = "http", port: int = DEFAULT_PORT, server: str = "Mesos master", option: str = "masters"
) -> Endpoint:
    """Read "http://host:port", "host:port", "//host:port" or "host"."""
    absolute = text if "://" in text else f"{scheme}://{text.lstrip('/')}"
    try:
        parts = urlsplit(absolute)
        endpoint = Endpoint(parts.scheme, parts.hostname or "", parts.port or port)
    except ValueError:
        endpoint = Endpoint("", "", 0)
    if endpoint.scheme not in ("http", "https") or not endpoint.host or "@" in absolute:
        raise BadOption(
            f"{text!r} is not the address of a {server}.",
            remedy=f"Give {option} as http://HOST:{port}, https://HOST:{port} or HOST:{port}, credentials as options.",
            about=option,
        )
    return endpoint


class Transport:
    """Opens a connection for each request: a run makes a handful, and leaders change."""

    def __init__(self, connection: Connection) -> None:
        self._tls: Optional[ssl.SSLContext] = None
        if connection.ca_path or any(master.scheme == "https" for master in connection.masters):
            self._tls = tls_context(connection.ca_path, connection.validate_certs, BadOption)

    def open(self, to: Endpoint, timeout_seconds: float) -> http.client.HTTPConnection:
        link: http.client.HTTPConnection
        if to.scheme == "https":
            link = http.client.HTTPSConnection(to.host, to.port, timeout=timeout_seconds, context=self._tls)
        else:
            link = http.client.HTTPConnection(to.host, to.port, timeout=timeout_seconds)
        try:
            link.connect()
        except ssl.SSLCertVerificationError as error:
            raise CertificateRejected(
                f"The certificate of {to} is not accepted: {error.verify_message}.",
                remedy="Set ca_path to the certificate of the CA that signed it, and name the server as it does.",
                server=error.verify_message,
                about=str(to),
            ) from error
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link
