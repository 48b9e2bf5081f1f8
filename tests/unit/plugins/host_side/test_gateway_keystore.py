"""A Gateway's keystore, written and read back with the real openssl."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_gateway_keystore

PASSWORD = "keystore-2b7e"


def make(name: str, days: int = 30) -> tuple[str, str]:
    """A self-signed certificate and its key; one of less than no days has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    built = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return built.public_bytes(pem).decode(), private.decode()


@pytest.fixture
def keystore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    catalina = tmp_path / "catalina.properties"
    catalina.write_text(f"ssl.port=443\nkeystore.file={tmp_path}/.keystore\nkeystore.password={PASSWORD}\n")

    def run(certificate: str, key: str, check: bool = False) -> dict[str, Any]:
        options = {"catalina_file": str(catalina), "certificate": certificate, "private_key": key}
        with patch_module_args({**options, "_ansible_check_mode": check}):
            with pytest.raises(SystemExit):
                scaleio_gateway_keystore.main()
        printed = capsys.readouterr().out
        assert PASSWORD not in printed
        assert "PRIVATE KEY" not in printed
        return dict(json.loads(printed.strip().splitlines()[-1]))

    return run


def content(tmp_path: Path) -> str:
    command = ["openssl", "pkcs12", "-in", str(tmp_path / ".keystore"), "-nodes", "-passin", f"pass:{PASSWORD}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_written_once_and_again_when_the_certificate_is_renewed(
    tmp_path: Path, keystore: Callable[..., dict[str, Any]]
) -> None:
    first, second, chain = make("first"), make("second"), make("ca")[0]
    assert keystore(first[0] + chain, first[1], check=True)["changed"]
    assert not (tmp_path / ".keystore").exists()
    assert keystore(first[0] + chain, first[1])["changed"]
    assert (tmp_path / ".keystore").stat().st_mode & 0o777 == 0o600
    assert content(tmp_path).count("BEGIN CERTIFICATE") == 2
    assert not keystore(first[0] + chain, first[1])["changed"]
    renewed = keystore(*second)
    assert "first" in renewed["diff"]["before"]
    assert "second" in renewed["diff"]["after"]
    assert not keystore(*second)["changed"]


def test_what_cannot_work_is_refused_and_the_keystore_stays(
    tmp_path: Path, keystore: Callable[..., dict[str, Any]]
) -> None:
    right, other, old = make("right"), make("other"), make("old", days=-1)
    keystore(*right)
    before = content(tmp_path)
    for certificate, key, words in (
        (right[0], other[1], "does not belong"),
        ("nonsense", right[1], "holds no certificate"),
        (right[0], "nonsense", "holds no private key"),
        (*old, "has expired"),
    ):
        assert words in keystore(certificate, key)["msg"]
    assert content(tmp_path) == before
