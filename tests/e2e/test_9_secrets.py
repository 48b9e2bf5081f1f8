"""No secret where docs/secrets.md does not say so, while the platform is installed, grows and gets new passwords."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import paths
from tests.support import leaks
from tests.support.hosts import LabHosts

pytestmark = pytest.mark.slow
HOSTS = ("master1", "master2", "master3", "agent1", "agent2", "agent3")
SECRETS = ("scaleio_admin_password", "scaleio_lia_token", "scaleio_gateway_admin_password")
PAGE = (paths.CHECKOUT / "docs" / "secrets.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The cells of a table of the page, found by its first heading, marks of code taken off."""
    lines = PAGE.split(f"| {heading} |", 1)[1].splitlines()[2:]
    rows = takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


ALLOWED_FILES = {row[0]: row[2] for row in table("file")}
ALLOWED_PROGRAMS = {row[0] for row in table("program")}


def known(lab: LabHosts) -> dict[str, str]:
    folder = lab.inventory / "group_vars" / "all"
    values = yaml.safe_load((folder / "secrets.yml").read_text())
    ec2 = yaml.safe_load((folder / "ec2.yml").read_text())["ebs_connection"]
    return {**{name: values[name] for name in SECRETS}, "EC2 secret key": ec2["secret_key"]}


def roots(lab: LabHosts) -> dict[str, Path]:
    """The root of each host's files as this machine sees them."""
    found: dict[str, Path] = {}
    addresses = {lab.address(host): host for host in HOSTS}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            numbers = re.search(r"^NSpid:\s(.*)$", status.read_text(), re.M)
            if numbers and numbers[1].split()[1:] == ["1"]:
                routes = (status.parent / "net" / "fib_trie").read_text()
                found |= {
                    host: status.parent / "root" for address, host in addresses.items() if f"-- {address}\n" in routes
                }
        except OSError:
            continue
    assert set(found) == set(HOSTS)
    return found


class Observed:
    def __init__(self, lab: LabHosts, folder: Path, secrets: dict[str, str]) -> None:
        self.lab, self.folder, self.secrets = lab, folder, secrets
        self.roots = roots(lab)
        for name in ("cache", "tmp"):
            (folder / name).mkdir(exist_ok=True)
        self.watch = leaks.Watch(secrets, self.roots, [folder / "tmp"])
        self.output = ""

    def play(self, book: str, *arguments: str, **environment: str) -> dict[str, int]:
        surroundings = {
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.folder / "cache"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            **environment,
        }
        with self.watch:
            run = self.lab.play(book, "-vvvv", "--diff", *arguments, environment=surroundings)
        self.output += run.output
        assert run.status == 0, run.output[-4000:]
        assert self.watch.rounds > 20
        return run.changed

    def programs(self) -> set[str]:
        """Who showed a secret on a command line: the script, if an interpreter runs one."""
        shown = set()
        for _name, line in self.watch.processes:
            words = [word for word in line.split() if not word.endswith(("/python3", "/sh", "/bash"))]
            shown.add(Path(next(word for word in words if not word.startswith("-"))).name)
        return shown

    def shown(self) -> set[str]:
        return {name for name, value in self.secrets.items() if value in self.output}

    def kept(self) -> set[str]:
        """Files on the controller that hold a secret."""
        reports = paths.CHECKOUT / "build" / f"remediation-{self.lab.name}"
        found = leaks.files_with(self.secrets, self.folder)
        return {*found, *(leaks.files_with(self.secrets, reports) if reports.exists() else {})}

    def misplaced(self) -> list[str]:
        """Files on hosts that hold a secret and should not, or that others than root can read."""
        wrong = []
        for host, root in self.roots.items():
            for path, (mode, names) in leaks.files_with(self.secrets, root).items():
                if ALLOWED_FILES.get(path) not in names or len(names) > 1 or mode & 0o077:
                    wrong.append(f"{host}:{path} {mode:o} {sorted(names)}")
        return wrong


def assert_clean(seen: Observed) -> None:
    assert seen.programs() <= ALLOWED_PROGRAMS, seen.watch.processes
    assert seen.watch.files == set()
    assert seen.shown() == set()
    assert seen.kept() == set()
    assert seen.misplaced() == []


@pytest.fixture(scope="module", autouse=True)
def bare_hosts(lab: LabHosts) -> None:
    """Whatever earlier files have left there."""
    lab.run("down")
    lab.run("up")


@pytest.fixture
def observe(lab: LabHosts, tmp_path: Path) -> Callable[..., Observed]:
    return lambda secrets=None: Observed(lab, tmp_path, secrets or known(lab))


def test_an_installation_shows_no_secret(observe: Callable[..., Observed]) -> None:
    seen = observe()
    seen.play("playbooks/site.yml")
    assert_clean(seen)


def test_results_and_remediation_show_no_secret(observe: Callable[..., Observed]) -> None:
    """Results as a callback hands them to other programs."""
    seen = observe()
    seen.play("playbooks/remediate.yml", ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    assert json.loads(seen.output[seen.output.index('{\n    "custom_stats"') :].split("\n}\n")[0] + "\n}")["plays"]
    seen.play("playbooks/remediate.yml", "--check")
    assert_clean(seen)


def test_new_passwords_are_set_and_not_shown(lab: LabHosts, observe: Callable[..., Observed]) -> None:
    folder = lab.inventory / "group_vars" / "all"
    old = known(lab)
    fresh = {name: f"{old[name]}-New1" for name in SECRETS}
    previous = {"scaleio_admin_previous_password": old["scaleio_admin_password"]}
    (folder / "secrets.yml").write_text(yaml.safe_dump({**fresh, **previous}))
    seen = observe({**fresh, "former password": old["scaleio_admin_password"]})
    changed = seen.play("playbooks/storage.yml")
    assert set(changed) == {"agent1", "agent2", "agent3", "master3"}
    assert "SioGWTool.sh" in seen.programs()  # it is seen where it has to be
    # the former password is part of the new one
    seen.secrets.pop("former password")
    assert_clean(seen)
    (folder / "secrets.yml").write_text(yaml.safe_dump(fresh))
    run = lab.play("playbooks/storage.yml")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}, run.output
    assert lab.facts("scaleio")["scaleio"]["system"]["mdm"]["state"] == "ClusteredNormal"


LEAKS: list[tuple[str, dict[str, Any], Callable[[Observed], object]]] = [
    (
        "argv",
        {"ansible.builtin.command": "sh -c 'sleep 1; true {{ scaleio_lia_token }}'", "no_log": True},
        Observed.programs,
    ),
    ("output", {"ansible.builtin.debug": {"msg": "{{ scaleio_lia_token }}"}}, Observed.shown),
    (
        "fact",
        {"ansible.builtin.set_fact": {"leaked": "{{ scaleio_lia_token }}", "cacheable": True}, "no_log": True},
        Observed.kept,
    ),
    (
        "file",
        {
            "ansible.builtin.copy": {"content": "{{ scaleio_lia_token }}", "dest": "/etc/leaked", "mode": "0600"},
            "no_log": True,
        },
        Observed.misplaced,
    ),
    (
        "temporary file",
        {
            "ansible.builtin.shell": "umask 022; cat > /tmp/leaked; sleep 2; rm /tmp/leaked",
            "args": {"stdin": "{{ scaleio_lia_token }}"},
            "no_log": True,
        },
        lambda seen: seen.watch.files,
    ),
]


@pytest.mark.parametrize(("task", "found"), [leak[1:] for leak in LEAKS], ids=[leak[0] for leak in LEAKS])
def test_a_planted_leak_is_found(
    lab: LabHosts, observe: Callable[..., Observed], tmp_path: Path, task: dict[str, Any], found: Callable[..., object]
) -> None:
    book = tmp_path / "leak.yml"
    book.write_text(yaml.safe_dump([{"hosts": "agent2", "gather_facts": False, "tasks": [task]}]))
    seen = observe()
    try:
        seen.play(str(book))
        assert found(seen)
        with pytest.raises(AssertionError):
            assert_clean(seen)
    finally:
        lab.execute("agent2", "rm -f /etc/leaked /tmp/leaked")
