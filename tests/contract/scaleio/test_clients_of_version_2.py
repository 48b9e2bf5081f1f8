"""Clients from the days of ScaleIO 2.x, each a program in a process of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.scaleio import content
from lab.scaleio.emulator import Emulator
from tests.contract.scaleio.independent import Tally, story

GUIDS = ["5B6E7C1A-0000-4000-8000-00000000000A", "5B6E7C1A-0000-4000-8000-00000000000B"]


def emulated(profile: str, plain_http: bool = False) -> Emulator:
    emulator = Emulator(profile=profile, plain_http=plain_http)
    content.generate(emulator.system, 3, 1)
    for number, guid in enumerate(GUIDS, start=1):
        emulator.system.sdc_seen(guid, f"10.0.0.{number}", connected=True)
    return emulator


@pytest.mark.parametrize(
    ("profile", "plain_http"),
    [("2.0", True), ("2.6", False), pytest.param("2.5", False, marks=pytest.mark.slow)],
)
def test_pyscaleio(profile: str, plain_http: bool, tally: Callable[[str], Tally]) -> None:
    emulator = emulated(profile, plain_http)
    emulator.start()
    try:
        counted = tally("pyscaleio 0.1.7")
        result = story("pyscaleio_story.py", "pyscaleio-0.1.7", emulator)
        counted.note(emulator, result["operations"])
        assert len(emulator.gateway.sessions) == 0
    finally:
        emulator.stop()


@pytest.mark.parametrize("profile", ["2.0", pytest.param("2.6", marks=pytest.mark.slow)])
def test_siolib(profile: str, tally: Callable[[str], Tally]) -> None:
    emulator = emulated(profile)
    domain = {"name": "odd/name#1%"}
    _status, answer = emulator.system.rest("POST", "/api/types/ProtectionDomain/instances", {}, domain)
    pool = {"name": "odd/pool,1", "protectionDomainId": answer["id"]}  # type: ignore[index]
    assert emulator.system.rest("POST", "/api/types/StoragePool/instances", {}, pool)[0] == 200
    emulator.start()
    try:
        counted = tally("siolib 2.0.3")
        result = story("siolib_story.py", "siolib-2.0.3", emulator, guids=GUIDS)
        counted.note(emulator, result["operations"])
    finally:
        emulator.stop()
