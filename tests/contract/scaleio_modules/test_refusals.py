"""Every group of error codes reaches the user through a module: one message with code, object and what to do.

The groups are those of the API's codes by what a client should do about them. The Gateway answers the module's write
with the code; the texts are the system's own where the emulator knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio import client
from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_protection_domain
from lab.scaleio.emulator import Emulator
from lab.scaleio.faults import Fault
from lab.scaleio.refusal import MESSAGES
from tests.contract.scaleio_modules.world import World

MAIN = scaleio_protection_domain.main
# Up to 206 all versions agree on the numbers: the group, what its remedy has to speak of, and its codes.
GROUPS = {
    "absent": (r"Check the name or id", (3, 78, 79, 80, 91, 126, 142, 155, 171, 185, 193)),
    "present": (r"exists already|used by another", (7, 75, 93, 98, 99, 100, 141, 170, 173, 200, 206)),
    "no change": (
        r"Nothing is left to do",
        (81, 82, 84, 108, 109, 110, 146, 147, 157, 158, 160, 183, 201),
    ),
    "retry soon": (r"stayed busy|Wait until", (28, 32, 33, 43, 44, 55, 68, 69, 70, 138, 149, 163, 164)),
    "wait for another operation": (
        r"Wait until|stayed busy|MDM cluster into order|on at least three",
        (103, 111, 112, 124, 135, 144, 145, 162),
    ),
    "do something first": (
        r"Unmap|MDM cluster|licence|Remove what|addresses of all MDMs",
        (104, 105, 107, 121, 130, 143, 172, 176, 180, 196),
    ),
    "capacity and protection": (
        r"[Aa]dd devices|[Ff]ree capacity|licence|Correct the value|Spread devices",
        (61, 67, 131, 132, 133, 165, 166, 189, 190, 191),
    ),
    "device": (r"disk|device|test_mode|Check the name or id", (37, 45, 71, 72, 73, 136, 137, 139, 161)),
    "server and network": (
        r"address|Name the SDC|name the SDC|Correct the value|limit",
        (59, 74, 76, 77, 101, 120, 186, 187, 192, 194, 199, 203),
    ),
    "limits": (r"A limit of this ScaleIO version", (49, 87, 94, 95, 96, 97, 106, 125, 140, 150, 169, 181, 182, 184)),
    "values": (r"Correct the value|storage pool", (58, 62, 63, 64, 88, 89, 90, 174, 175, 188, 195, 197, 198)),
    "licence and user": (
        r"licence|password|role|addresses of its own",
        (66, 127, 128, 129, 134, 159, 167, 168, 177, 178, 179),
    ),
}
# Above 206 only the words count; the numbers are those of a list and differ on real systems.
WORDED = {
    "wait": (
        r"Wait|busy|idle|Repair",
        {
            216: "",
            252: "",
            318: "A device is being removed, please wait for it",
            220: "The SDS device is in error state, check it",
        },
    ),
    "permission": (r"role|password", {247: "", 249: ""}),
    "absent": (r"Check the name or id", {234: "", 265: ""}),
    "present": (r"exists already", {222: "The protection domain name already exists", 250: "", 264: "", 362: ""}),
    "same value": (r"Nothing is left to do", {299: "", 371: ""}),
    "do something first": (
        r"first|present path",
        {213: "", 244: "", 262: "", 268: "", 269: "", 298: "", 322: "", 331: "Zero padding must be enabled first"},
    ),
    "sizes and capacity": (
        r"size range|Correct the value|devices",
        {207: "", 208: "", 225: "", 300: "", 314: "", 306: "Not enough devices are left", 316: "", 323: "", 337: ""},
    ),
    "names and ids": (r"Correct the value|path of a disk", {226: "", 227: "", 228: "The id is invalid", 283: ""}),
    "users": (r"password|limit", {233: "The password is too short", 251: "", 253: "", 255: ""}),
    "maintenance": (r"[Mm]aintenance", {374: "", 375: "", 376: ""}),
    "migration": (r"Wait for the migration|Nothing is left", {717: "", 718: ""}),
    "disks with data": (
        r"without partitions|not mounted",
        {340: "The device is partitioned", 341: "The device is mounted"},
    ),
    "media type": (r"media_type|Correct the value", {372: "", 373: ""}),
    "thresholds": (r"Correct the value", {307: "", 370: ""}),
}
BY_CODE = [(group, words, code, "") for group, (words, codes) in GROUPS.items() for code in codes]
BY_WORDS = [(group, words, code, text) for group, (words, codes) in WORDED.items() for code, text in codes.items()]


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    emulator = Emulator(plain_http=True)
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture
def world(running: Emulator, capsys: pytest.CaptureFixture[str]) -> World:
    running.gateway.faults.clear()
    return World(running, capsys)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may pass by itself is tried again for a minute."""
    monkeypatch.setattr(client, "BUSY_SECONDS", 0.05)


@pytest.mark.parametrize(("group", "words", "code", "text"), [*BY_CODE, *BY_WORDS])
def test_a_refusal_is_one_message_with_code_object_and_remedy(
    world: World, group: str, words: str, code: int, text: str
) -> None:
    text = text or MESSAGES.get(code, "The command was refused")
    path = "/api/types/ProtectionDomain"
    world.emulator.gateway.faults.add(
        Fault("status", "POST", path, status=500, error_code=code, message=text, times=10_000)
    )
    result = world.run(MAIN, name="cellar")
    assert result["failed"], result
    failure = result["failure"]
    assert result["msg"].startswith("create_protection_domain cellar failed: ScaleIO refused POST /api/types/")
    text = text.rstrip(".")  # the full stop of the server's sentence comes after the code
    assert f"{text} (error {code}, HTTP 500). {failure['remedy']}" in result["msg"]
    assert "\n" not in result["msg"]
    assert (failure["error_code"], failure["object"], failure["server"]) == (code, "cellar", text)
    assert re.search(words, failure["remedy"]), f"{group}: {failure['remedy']}"
    assert not world.system.objects("ProtectionDomain")


@pytest.mark.parametrize(
    ("status", "text", "code", "words"),
    [
        (400, "id (x) must be a hexadecimal number", "refused", "Correct the value"),
        (401, "Unauthorized", "authentication_failed", "permissions of gateway_username"),
        (403, "Forbidden", "refused", "role"),
        (404, "The path is unknown", "not_found", "version of this Gateway"),
        (500, "MDM not connected", "gateway_unreachable", "MDM cluster runs"),
        (503, "Service unavailable", "gateway_unreachable", "MDM cluster runs"),
    ],
)
def test_what_the_gateway_says_itself(world: World, status: int, text: str, code: str, words: str) -> None:
    world.emulator.gateway.faults.add(Fault("status", "POST", "/api/types/", status=status, message=text, times=10_000))
    result = world.run(MAIN, name="cellar", timeout_seconds=1)
    assert (result["failed"], result["failure"]["code"]) == (True, code)
    assert words in result["failure"]["remedy"]
    assert result["failure"]["remedy"] in result["msg"]
    assert "cellar" in result["msg"]
