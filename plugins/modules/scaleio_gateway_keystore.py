#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_gateway_keystore
short_description: Give a ScaleIO Gateway a certificate of your own
version_added: "0.1.0"
description:
  - Writes a certificate and its private key into the keystore from which the Gateway takes them when it starts. The
    file and its password are those that C(catalina.properties) names.
  - The keystore is written as PKCS12, in the way that Java 8 reads too, for its owner only.
  - The key goes through pipes between processes of this host, never through a command line or a file in between.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  catalina_file:
    description:
      - Properties of the Gateway's web server, with C(keystore.file) and C(keystore.password).
    type: path
    default: /opt/emc/scaleio/gateway/conf/catalina.properties
  certificate:
    description:
      - The certificate in PEM form, and after it those between it and its CA.
    type: str
    required: true
  private_key:
    description:
      - The private key of the certificate in PEM form, without a passphrase.
    type: str
    required: true
attributes:
  check_mode:
    description: Compares and writes nothing.
    support: full
  diff_mode:
    description: Shows subjects and ends of the certificates.
    support: full
  platform:
    description: Hosts with a Gateway and openssl.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Give the Gateway the certificate of our own CA
  mesos_scaleio.platform.scaleio_gateway_keystore:
    certificate: "{{ lookup('ansible.builtin.file', 'gateway1-with-chain.pem') }}"
    private_key: "{{ vault_gateway1_private_key }}"
  notify: Restart the Gateway
"""

RETURN = r"""
path:
  description: The keystore.
  returned: success
  type: str
  sample: /opt/emc/scaleio/gateway/conf/certificates/.keystore
"""

import os
import re
import tempfile

from ansible.module_utils.basic import AnsibleModule

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)
KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.S)
PASSWORD = "KEYSTORE_PASSWORD"
# What Java 8 reads: newer versions of openssl would choose what it cannot.
OLD_JAVA = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]


def properties_of(path):
    with open(path, encoding="utf-8") as stream:
        pairs = (line.partition("=") for line in stream if "=" in line and not line.lstrip().startswith("#"))
        return {key.strip(): value.strip() for key, _equals, value in pairs}


class Openssl:
    def __init__(self, module):
        self.module = module
        self.program = module.get_bin_path("openssl", required=True)

    def run(self, *words, data="", password=None):
        """What it prints, None when it refuses. Secrets come by pipe and environment, which no other user can read."""
        code, out, _err = self.module.run_command(
            [self.program, *words], data=data, environ_update={PASSWORD: password} if password is not None else None
        )
        return out if code == 0 else None

    def content(self, text):
        """A key and certificates, each written in one way only; None for what is not there."""
        key, certificates = KEY.search(text), CERTIFICATE.findall(text)
        plain = [self.run("x509", data=certificate + "\n") for certificate in certificates]
        return self.run("pkey", data=key[0] + "\n") if key else None, plain

    def shown(self, certificates):
        return self.run("x509", "-noout", "-subject", "-enddate", data=certificates[0]) if certificates else "none\n"


def mistake(openssl, key, certificates):
    if not certificates or None in certificates:
        return "certificate holds no certificate in PEM form"
    if key is None:
        return "private_key holds no private key in PEM form that openssl reads without a passphrase"
    if openssl.run("pkey", "-pubout", data=key) != openssl.run("x509", "-noout", "-pubkey", data=certificates[0]):
        return "private_key does not belong to the first certificate"
    if openssl.run("x509", "-noout", "-checkend", "0", data=certificates[0]) is None:
        return "the certificate has expired"
    return ""


def main():
    module = AnsibleModule(
        argument_spec={
            "catalina_file": {"type": "path", "default": "/opt/emc/scaleio/gateway/conf/catalina.properties"},
            "certificate": {"type": "str", "required": True},
            "private_key": {"type": "str", "required": True, "no_log": True},
        },
        supports_check_mode=True,
    )
    openssl = Openssl(module)
    wanted = openssl.content(module.params["private_key"])[0], openssl.content(module.params["certificate"])[1]
    wrong = mistake(openssl, *wanted)
    if wrong:
        module.fail_json(msg=f"The Gateway keeps its certificate, since {wrong}. Correct it and run again.")
    catalina = module.params["catalina_file"]
    if not os.path.exists(catalina):
        module.fail_json(msg=f"{catalina} does not exist: install the Gateway first, or correct catalina_file.")
    settings = properties_of(catalina)
    path, password = settings.get("keystore.file", ""), settings.get("keystore.password", "")
    if not path or not password:
        module.fail_json(msg=f"{catalina} names no keystore.file with its keystore.password: add both.")
    module.no_log_values.add(password)

    now = (None, [])
    if os.path.exists(path):
        text = openssl.run("pkcs12", "-in", path, "-nodes", "-passin", f"env:{PASSWORD}", password=password)
        now = openssl.content(text or "")
    changed = (now[0], sorted(now[1])) != (wanted[0], sorted(wanted[1]))
    if changed and not module.check_mode:
        handle, fresh = tempfile.mkstemp(dir=os.path.dirname(path))
        os.close(handle)
        data = wanted[0] + "".join(wanted[1])
        words = ["-export", "-name", "gateway", "-passout", f"env:{PASSWORD}", "-out", fresh]
        if openssl.run("pkcs12", *words, *OLD_JAVA, data=data, password=password) is None:
            module.fail_json(msg=f"openssl cannot write {path}; the Gateway keeps its certificate.")
        existed = os.path.exists(path)
        module.atomic_move(fresh, path)
        if not existed:
            os.chmod(path, 0o600)
    diff = {"before": openssl.shown(now[1]), "after": openssl.shown(wanted[1])}
    module.exit_json(changed=changed, path=path, diff=diff)


if __name__ == "__main__":
    main()
