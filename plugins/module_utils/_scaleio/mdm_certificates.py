# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates of MDMs, which nobody signs: what is shown, and what this host has approved before."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl

MANAGEMENT_PORT = 6611
REMEDY = (
    "find out why: if the MDM was installed again, or its certificate replaced, give the fingerprints that the MDM "
    "hosts say (openssl x509 -noout -fingerprint -sha256 -in /opt/emc/scaleio/mdm/cfg/mdm_management_certificate.pem)"
)


def fingerprint(pem: str) -> str:
    """SHA-256 of a certificate, 64 hexadecimal digits."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.strip())).hexdigest()


def shown_by(address: str, port: int, seconds: float) -> str:
    """The fingerprint that a server shows. OSError, of which ssl.SSLError is one, where nobody answers so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((address, port), seconds) as connection:
        with context.wrap_socket(connection) as secure:
            return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()


def remembered(path: str) -> dict[str, str]:
    """Fingerprints by address."""
    try:
        with open(path, encoding="ascii") as stream:
            return dict(json.load(stream))
    except FileNotFoundError:
        return {}


def remember(path: str, known: dict[str, str]) -> None:
    fresh = f"{path}.new"
    with open(fresh, "w", encoding="ascii") as stream:
        json.dump(known, stream, indent=2, sort_keys=True)
        stream.write("\n")
    os.replace(fresh, path)
