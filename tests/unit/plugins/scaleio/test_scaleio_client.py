"""The session with a Gateway: what it costs, what it survives, and what it says when it cannot go on."""

import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio import errors
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import connection_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.transport import Transport

DEFAULTS = {"use_tls": True, "validate_certs": True, "ca_path": None}
PASSWORD = "a-secret-nobody-may-see"


def connection(emulator, **changes):
    options = {**DEFAULTS, **emulator.options(**changes)}
    # As an AnsibleModule hands them over.
    hosts = options["gateway_host"]
    return connection_from({**options, "gateway_host": [hosts] if isinstance(hosts, str) else hosts})


@contextmanager
def listening_port(answer=None):
    """A port that takes connections and closes them after `answer`, or never says anything."""
    server = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve():
        while True:
            try:
                client, _address = server.accept()
            except OSError:
                return
            held.append(client)
            if answer is not None:
                client.recv(65536)
                client.sendall(answer)
                client.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        for client in held:
            client.close()


def test_one_session_for_everything(emulator):
    with Gateway(connection(emulator)) as gateway:
        for _ in range(3):
            gateway.get("/api/types/System/instances")
        assert gateway.version == "3.6"
        assert gateway.calls == 3
    assert emulator.requests() == [
        "GET /api/login",
        "GET /api/version",
        *["GET /api/types/System/instances"] * 3,
        "GET /api/logout",
    ]
    assert emulator.control("/counters")["connections"] == 1


def test_4x_uses_a_bearer_token_and_leaves_no_session_behind(start_emulator):
    emulator = start_emulator("--plain-http", "--profile", "4.5")
    with Gateway(connection(emulator)) as gateway:
        assert gateway.get("/api/types/System/instances")[0]["id"] == emulator.ready["system_id"]
    requests = emulator.requests()
    assert requests.count("GET /api/login") == requests.count("GET /api/logout") == 1
    assert requests[-1] == "POST /rest/auth/logout"


@pytest.mark.parametrize("profile", ["3.6", "4.5"])
def test_an_expired_session_is_renewed_once_for_all_threads(start_emulator, profile):
    emulator = start_emulator("--plain-http", "--profile", profile)
    answers = []
    with Gateway(connection(emulator)) as gateway:
        logins = emulator.control("/counters")["logins"]
        emulator.control("/expire_sessions")

        def ask():
            answers.append(gateway.get("/api/types/System/instances"))

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 5
    assert emulator.control("/counters")["logins"] == 2 * logins


def test_a_busy_mdm_is_asked_again(emulator):
    emulator.control("/fault", kind="status", path_prefix="/api/types", error_code=28, message="Busy", times=2)
    with Gateway(connection(emulator)) as gateway:
        gateway.get("/api/types/System/instances")
    assert emulator.requests().count("GET /api/types/System/instances") == 3


def test_a_refusal_is_not_repeated(emulator):
    with Gateway(connection(emulator)) as gateway:
        gateway.post("/api/types/ProtectionDomain/instances", {"name": "d"})
        with pytest.raises(errors.Refused) as refused:
            gateway.post("/api/types/ProtectionDomain/instances", {"name": "d"})
        with pytest.raises(errors.NotFound):
            gateway.get("/api/instances/Volume::00000000000000ff")
    assert refused.value.error_code == 141
    assert len(emulator.writes()) == 2


def test_a_gateway_that_restarts_is_waited_for(emulator):
    with Gateway(connection(emulator)) as gateway:
        emulator.control("/fault", kind="status", path_prefix="/api/types", status=503, times=2)
        assert gateway.get("/api/types/System/instances")
        emulator.control("/fault", kind="drop", path_prefix="/api/types", times=1)
        assert gateway.get("/api/types/System/instances")


def test_a_write_whose_answer_is_lost_is_not_blindly_repeated(emulator):
    with Gateway(connection(emulator)) as gateway:
        emulator.control("/fault", kind="drop_after", path_prefix="/api/types/ProtectionDomain", method="POST")
        with pytest.raises(errors.AnswerLost):
            gateway.post("/api/types/ProtectionDomain/instances", {"name": "d"})
    assert len(emulator.writes()) == 1


SPOILT = ("cut", "half", "page", "empty", "other")


@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("path", ["/api/login", "/api/version", "/api/types/System/instances", "/api/instances"])
def test_an_answer_that_cannot_be_read_is_asked_for_again(emulator, kind, path):
    emulator.control("/fault", kind=kind, path_prefix=path, method="GET")
    with Gateway(connection(emulator)) as gateway:
        assert gateway.version == "3.6"
        assert [system["name"] for system in gateway.get("/api/types/System/instances")]
        assert gateway.get("/api/instances")["System"]


@pytest.mark.parametrize("kind", SPOILT)
def test_a_write_whose_answer_cannot_be_read_may_have_happened(emulator, kind):
    with Gateway(connection(emulator)) as gateway:
        emulator.control("/fault", kind=kind, path_prefix="/api/types/ProtectionDomain", method="POST")
        with pytest.raises(errors.AnswerLost) as lost:
            gateway.post("/api/types/ProtectionDomain/instances", {"name": "d"})
    assert lost.value.remedy in str(lost.value)
    assert len(emulator.writes()) == 1


def test_no_answer_that_can_be_read_is_no_system_without_devices(emulator):
    with Gateway(connection(emulator, timeout_seconds=1)) as gateway:
        emulator.control("/fault", kind="other", path_prefix="/api/types/Device", times=99)
        with pytest.raises(errors.AnswerLost, match="that can be read, but something else"):
            gateway.get("/api/types/Device/instances")


def test_an_idle_connection_closed_by_the_gateway_is_replaced_before_a_write(emulator):
    with Gateway(connection(emulator)) as gateway:
        gateway._sessions[0]._transport._local.link.sock.shutdown(socket.SHUT_RDWR)
        gateway.post("/api/types/ProtectionDomain/instances", {"name": "d"})
    assert len(emulator.writes()) == 1


def failing(options):
    with pytest.raises(errors.ScaleioError) as caught, Gateway(options):
        pass
    assert PASSWORD not in str(caught.value) + repr(caught.value.as_failure()) + repr(options)
    return caught.value


def test_wrong_password(emulator):
    error = failing(connection(emulator, gateway_password=PASSWORD))
    assert isinstance(error, errors.AuthenticationFailed)
    assert "does not accept the password of user admin" in str(error)
    assert "gateway_password" in error.remedy


def test_unreachable(emulator):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = failing(connection(emulator, gateway_port=port, gateway_password=PASSWORD, timeout_seconds=1))
    assert isinstance(error, errors.GatewayUnreachable)
    assert f"127.0.0.1:{port} cannot be reached: Connection refused" in str(error)


def test_unknown_name(emulator):
    error = failing(connection(emulator, gateway_host="no-such-host.invalid", gateway_password=PASSWORD))
    assert isinstance(error, errors.GatewayUnreachable)
    assert "no-such-host.invalid cannot be resolved" in str(error)


def test_silent_server(emulator):
    with listening_port() as port:
        error = failing(connection(emulator, gateway_port=port, gateway_password=PASSWORD, timeout_seconds=1))
    assert "timed out" in str(error)


def test_something_else_than_a_gateway(emulator):
    page = b"<html>hello</html>"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode()
    with listening_port(head + page) as port:
        error = failing(connection(emulator, gateway_port=port, gateway_password=PASSWORD, timeout_seconds=1))
    assert "GET /api/login that can be read, but a page of HTML. Check that gateway_host" in str(error)


def test_an_answer_is_told_from_a_page_by_what_it_is(emulator):
    body = b'"3.6"'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with listening_port(head + body) as port:
        given = connection(emulator, gateway_port=port, gateway_password=PASSWORD, timeout_seconds=1)
        assert Transport(given).send("GET", "/api/version", {}, None).json() == "3.6"


def test_the_mdm_behind_the_gateway_is_away(emulator):
    emulator.control(
        "/fault", kind="status", path_prefix="/api/login", status=502, message="Cannot connect to MDM", times=99
    )
    error = failing(connection(emulator, timeout_seconds=1))
    assert isinstance(error, errors.GatewayUnreachable)
    assert "answers, but not the MDM behind it: Cannot connect to MDM" in str(error)


def test_certificates(start_emulator, tmp_path):
    emulator = start_emulator()
    with Gateway(connection(emulator)) as gateway:
        assert gateway.version == "3.6"
    with Gateway(connection(emulator, ca_path=None, validate_certs=False)) as gateway:
        assert gateway.version == "3.6"

    error = failing(connection(emulator, ca_path=None, gateway_password=PASSWORD))
    assert isinstance(error, errors.CertificateRejected)
    assert "is not accepted: " in str(error)
    assert "ca_path" in error.remedy

    other = tmp_path / "other.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=other -keyout /dev/null -out"
    subprocess.run([*command.split(), str(other)], check=True, capture_output=True)
    assert isinstance(failing(connection(emulator, ca_path=str(other))), errors.CertificateRejected)

    error = failing(connection(emulator, ca_path=str(tmp_path / "missing.pem")))
    assert "missing.pem cannot be read as PEM certificates (No such file or directory)" in str(error)

    # A TLS port spoken to in plain HTTP, and the other way round.
    error = failing(connection(emulator, use_tls=False, timeout_seconds=1))
    assert isinstance(error, errors.ScaleioError)


def test_tls_to_a_plain_port(emulator):
    error = failing(connection(emulator, use_tls=True, timeout_seconds=1))
    assert isinstance(error, errors.GatewayUnreachable)
    assert "TLS failed" in str(error)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"gateway_host": None}, "gateway_host is not set."),
        ({"gateway_password": ""}, "gateway_password is not set."),
        ({"gateway_host": "https://gw"}, "is not a bare host name or address"),
        ({"gateway_host": "gw:443"}, "is not a bare host name or address"),
        ({"gateway_port": 0}, "gateway_port 0 is not a port"),
        ({"timeout_seconds": 0}, "timeout_seconds 0 is too short"),
    ],
)
def test_bad_connection_options(emulator, changes, text):
    with pytest.raises(errors.BadConnectionOption, match=text):
        connection(emulator, **changes)


def test_the_password_is_not_in_the_connections_text(emulator):
    assert PASSWORD not in repr(replace(connection(emulator), password=PASSWORD))
