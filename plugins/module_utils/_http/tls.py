# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS as the connection options of every client describe it, and network failures in a few words."""

from __future__ import annotations

import socket
import ssl
from typing import Optional

from .errors import ClientError


def tls_context(ca_path: Optional[str], validate_certs: bool, refused: type[ClientError]) -> ssl.SSLContext:
    """A context that verifies unless it is told not to; a file that holds no certificates raises `refused`."""
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except (OSError, ssl.SSLError) as error:
        raise refused(
            f"ca_path {ca_path} cannot be read as PEM certificates ({reason(error)}).",
            remedy="Give the path of the CA's certificate in PEM form.",
            about="ca_path",
        ) from error
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def reason(error: Exception) -> str:
    """The short cause of a network failure."""
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
