"""The event source, loaded by its path as ansible-rulebook does, against a Gateway."""

from __future__ import annotations

import asyncio
import logging
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.scaleio import content
from lab.scaleio.emulator import Emulator

ROOT = Path(__file__).parents[3]
FILE = ROOT / "extensions/eda/plugins/event_source/pool_capacity.py"
SOURCE = runpy.run_path(str(FILE))
WINDOW_SECONDS = 300


def pool(used_percent: float, name: str = "p1") -> dict[str, Any]:
    return {"protection_domain": "d", "storage_pool": name, "used_percent": used_percent}


def levels(wakes: Any, now: float, *pools: dict[str, Any]) -> dict[str, str]:
    return {entry["storage_pool"]: entry["level"] for entry in wakes.due(list(pools), now)}


@pytest.fixture
def wakes() -> Any:
    return SOURCE["Wakes"](80, 85, WINDOW_SECONDS)


def test_thresholds_belong_to_the_level_above(wakes: Any) -> None:
    told = levels(wakes, 0, pool(79.99, "below"), pool(80, "at"), pool(84.99, "high"), pool(85, "critical"))
    assert told == {"at": "high", "high": "high", "critical": "critical"}


def test_a_pool_is_told_once_in_a_window(wakes: Any) -> None:
    assert levels(wakes, 0, pool(82))
    assert not levels(wakes, WINDOW_SECONDS - 1, pool(82))
    assert levels(wakes, WINDOW_SECONDS, pool(82))
    assert not levels(wakes, WINDOW_SECONDS + 1, pool(82))


def test_another_pool_has_a_window_of_its_own(wakes: Any) -> None:
    assert levels(wakes, 0, pool(82, "p1")) == {"p1": "high"}
    assert levels(wakes, 1, pool(82, "p1"), pool(82, "p2")) == {"p2": "high"}


def test_turning_critical_is_told_at_once_and_once(wakes: Any) -> None:
    levels(wakes, 0, pool(82))
    assert levels(wakes, 1, pool(86)) == {"p1": "critical"}
    assert not levels(wakes, 2, pool(84))
    assert not levels(wakes, 3, pool(86))


def test_a_pool_that_flaps_is_not_told_each_time(wakes: Any) -> None:
    levels(wakes, 0, pool(80))
    assert not levels(wakes, 10, pool(79))
    assert not levels(wakes, 20, pool(80))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"poll_seconds": 0}, "poll_seconds must be 1 or more"),
        ({"high_percent": 90}, "high_percent and critical_percent"),
        ({"poll_second": 60}, "poll_second"),
        ({"window_seconds": "soon"}, "window_seconds"),
    ],
)
def test_bad_arguments_are_refused_by_name(args: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SOURCE["options_from"](args)


def test_the_environment_gives_what_the_rulebook_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEIO_GATEWAY_HOST", "gateway.example.org")
    monkeypatch.setenv("SCALEIO_GATEWAY_PORT", "8443")
    options = SOURCE["options_from"]({"gateway_host": None})
    assert (options["gateway_host"], options["gateway_port"]) == (["gateway.example.org"], 8443)


def test_documentation_says_what_the_source_takes() -> None:
    documented = yaml.safe_load(SOURCE["DOCUMENTATION"])["options"]
    assert {name: (entry["type"], entry.get("default")) for name, entry in documented.items()} == {
        name: (entry["type"], entry.get("default")) for name, entry in SOURCE["SPEC"].items()
    }


@pytest.mark.parametrize("installed", [False, True], ids=["checkout", "installed"])
def test_it_finds_the_code_of_its_collection(tmp_path: Path, installed: bool) -> None:
    """Outside pytest nothing else puts the collection on Python's path."""
    file = FILE
    if installed:
        root = tmp_path / "ansible_collections/mesos_scaleio/platform"
        (root / "extensions/eda/plugins/event_source").mkdir(parents=True)
        (root / "plugins").symlink_to(ROOT / "plugins")
        file = root / FILE.relative_to(ROOT)
        file.write_text(FILE.read_text())
    program = f"import runpy; print(runpy.run_path({str(file)!r})['Gateway'].__name__)"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", program], cwd="/", env=clean, capture_output=True, text=True)
    assert done.stdout == "Gateway\n", done.stderr


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    running = Emulator(plain_http=True, generate={"sds": 3, "pool_fill": 70})
    running.start()
    yield running
    running.stop()


def arguments(emulator: Emulator, **more: Any) -> dict[str, Any]:
    facts = emulator.facts
    return {
        "gateway_host": facts["host"],
        "gateway_port": facts["port"],
        "gateway_password": facts["password"],
        "use_tls": False,
        "poll_seconds": 1,
        **more,
    }


async def quiet_then_full(emulator: Emulator) -> tuple[bool, dict[str, Any], bool]:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    running = asyncio.create_task(SOURCE["main"](queue, arguments(emulator)))
    await asyncio.sleep(0.5)
    quiet = queue.empty()
    content.fill_pool(emulator.system, "default", 83)
    event = await asyncio.wait_for(queue.get(), 10)
    await asyncio.sleep(1.5)
    silent = queue.empty()
    running.cancel()
    return quiet, event, silent


def test_a_pool_that_fills_up_gives_one_event(emulator: Emulator) -> None:
    quiet, event, silent = asyncio.run(quiet_then_full(emulator))
    assert quiet
    assert silent
    told = event["pool_capacity"]
    assert told["level"] == "high"
    (entry,) = told["pools"]
    assert (entry["protection_domain"], entry["storage_pool"]) == ("default", "default")
    assert 82.5 <= entry["used_percent"] <= 83.5
    assert emulator.facts["password"] not in str(event)


async def run_for(seconds: float, args: dict[str, Any]) -> asyncio.Queue[Any]:
    queue: asyncio.Queue[Any] = asyncio.Queue()
    try:
        await asyncio.wait_for(SOURCE["main"](queue, args), seconds)
    except asyncio.TimeoutError:
        pass
    return queue


def test_a_wrong_password_is_said_and_not_tried_in_a_hurry(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        queue = asyncio.run(run_for(2.5, arguments(emulator, gateway_password="Wrong-4711")))
    assert queue.empty()
    assert [record.getMessage().split(" The next ")[1] for record in caplog.records] == ["look is in 2 s."] + [
        "look is in 4 s."
    ] * (len(caplog.records) - 1)
    assert 1 <= len(caplog.records) <= 2
    assert "does not accept the password" in caplog.text
    assert "Wrong-4711" not in caplog.text


def test_a_missing_password_ends_the_source_with_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCALEIO_GATEWAY_PASSWORD", raising=False)
    with pytest.raises(Exception, match="gateway_password is not set"):
        asyncio.run(run_for(2, {"gateway_host": "127.0.0.1"}))


@pytest.mark.parametrize(
    "rulebook", sorted((ROOT / "extensions/eda/rulebooks").glob("*.yml")), ids=lambda path: path.name
)
def test_rulebooks_give_arguments_that_the_source_takes(rulebook: Path) -> None:
    for ruleset in yaml.safe_load(rulebook.read_text()):
        (source,) = ruleset["sources"]
        SOURCE["options_from"](source["mesos_scaleio.platform.pool_capacity"])
