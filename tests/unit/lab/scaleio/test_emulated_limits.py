"""The licence, the incremental tree, and the certificate of the MDM."""

from __future__ import annotations

import pytest
from scaleio_world import PASSWORD, World
from test_emulated_gateway import Client

from lab.scaleio import licence
from lab.scaleio.gateway import Configuration, Gateway, Request

DAY = 86400
PEM = "-----BEGIN CERTIFICATE-----\nTGFi\n-----END CERTIFICATE-----"


@pytest.fixture
def world() -> World:
    return World()


def test_the_licence_limits_capacity(world: World) -> None:
    pool_id, servers, _devices = world.three_servers()
    licence.install(world.system, capacity_gb=3 * 179 + 100, days=None)
    body = {"sdsId": servers[0], "storagePoolId": pool_id, "deviceCurrentPathname": "/dev/sdc"}
    assert world.refused("POST", "/api/types/Device/instances", body)[1] == 131
    (system,) = world.get("/api/types/System/instances")
    assert (system["maxCapacityInGb"], system["capacityTimeLeftInDays"]) == ("637", "Unlimited")
    assert system["isInitialLicense"] is False
    licence.install(world.system, capacity_gb=4 * 180, days=None)
    world.create("Device", **body)


def test_the_licence_ends(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    assert "TRIAL_LICENSE_USED" in world.alerts()
    licence.install(world.system, capacity_gb=None, days=40)
    assert not {alert for alert in world.alerts() if "LICENSE" in alert}
    world.wait(15 * DAY)
    assert world.get("/api/types/System/instances")[0]["capacityTimeLeftInDays"] == "25"
    assert "LICENSE_ABOUT_TO_EXPIRE" in world.alerts()
    world.wait(25 * DAY)
    assert "LICENSE_EXPIRED" in world.alerts()
    body = {"storagePoolId": pool_id, "name": "v", "volumeSizeInGb": "8", "volumeType": "ThinProvisioned"}
    assert world.refused("POST", "/api/types/Volume/instances", body)[1] == 159


def test_the_tree_tells_only_what_the_caller_does_not_know(world: World) -> None:
    world.three_servers()
    whole = world.get("/api/instances")
    known = {"systemId": world.system.id, "sessionTag": "1", "lastVersion": str(whole["lastSdsVersion"])}
    status, again = world.system.rest("GET", "/api/instances", known)
    assert (status, again["sdsList"], again["isDirty"]) == (200, None, False)  # type: ignore[index]
    world.add_pool("another")
    _status, changed = world.system.rest("GET", "/api/instances", known)
    assert len(changed["storagePoolList"]) == 2  # type: ignore[index]


@pytest.fixture
def strict() -> Client:
    client = Client()
    configuration = Configuration(admin_password="Gateway-1", mdm_certificate=lambda _host: PEM + "\n")
    configuration.fields["bypassCertificateCheck"] = "false"
    client.gateway = Gateway(client.world.system, lambda: client.world.now, configuration)
    return client


def test_no_login_before_the_mdm_is_trusted(strict: Client) -> None:
    strict.authorization = strict.basic("admin", PASSWORD)
    status, answer = strict.send("GET", "/api/login")
    assert (status, "not trusted" in answer["message"]) == (502, True)
    strict.login("/api/gatewayLogin", "Gateway-1")
    assert strict.send("GET", "/api/getHostCertificate/Mdm")[0] == 400
    asked = Request("GET", "/api/getHostCertificate/Mdm?host=10.0.0.1", {"authorization": strict.authorization})
    shown = strict.gateway.handle(asked)
    certificate = shown.body.decode()  # as it is, not as JSON: scripts save it to a file and trust the file
    assert (shown.status, certificate.strip()) == (200, PEM)
    assert upload(strict, "no certificate") == 400
    assert upload(strict, certificate.replace("\n", "\r\n")) == 200
    strict.login()


def test_only_the_gateways_administrator_may_trust(strict: Client) -> None:
    strict.gateway.configuration.fields["bypassCertificateCheck"] = "true"
    strict.login()
    assert upload(strict, PEM) == 403


def upload(client: Client, text: str) -> int:
    part = f'--x\r\nContent-Disposition: form-data; name="file"; filename="mdm.pem"\r\n\r\n{text}\r\n--x--\r\n'
    headers = {"authorization": client.authorization, "content-type": "multipart/form-data; boundary=x"}
    return client.gateway.handle(Request("POST", "/api/trustHostCertificate/Mdm", headers, part.encode())).status
