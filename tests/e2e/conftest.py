"""One lab for all tests here, which build on each other in the order of their files: install, fail over, remediate."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.hosts import LabHosts


@pytest.fixture(scope="session")
def lab() -> Iterator[LabHosts]:
    hosts = LabHosts(os.environ.get("LAB_NAME", "test"), os.environ.get("LAB_SUBNET", "198.18.1.0/24"))
    keep = bool(os.environ.get("LAB_KEEP"))
    if not (keep and "running" in hosts.run("status", "--json")):
        hosts.run("down")
        hosts.run("up")
    yield hosts
    if not keep:
        hosts.run("down")


@pytest.fixture(scope="module")
def installed(lab: LabHosts) -> None:
    """The platform on the lab's hosts, which an earlier file has left there unless this one runs alone."""
    if "emc-scaleio-mdm" not in lab.execute("agent1", "dpkg-query -W -f '${Package}\\n'"):
        run = lab.play("playbooks/site.yml")
        assert run.status == 0, run.output[-4000:]


@pytest.fixture(autouse=True)
def stop_after_first_failure(request: pytest.FixtureRequest) -> None:
    """A later step says nothing of a lab in which an earlier one failed."""
    if request.session.testsfailed:
        pytest.fail("not run: an earlier step failed", pytrace=False)


def pytest_sessionstart() -> None:
    if os.geteuid() != 0:
        raise pytest.UsageError("the lab needs root: run these tests as root")
