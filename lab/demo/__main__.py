"""make demo: hosts, Mesos, ScaleIO, a pool that fills, and the scheduled playbook that lets it grow."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from lab import paths, playbook
from lab.hosts.config import Lab
from tools import phases

OUT = paths.CHECKOUT / "build" / "demo"
LAB = [str(paths.CHECKOUT / "lab" / "bin" / "lab")]
REPORTS = paths.CHECKOUT / "build" / f"remediation-{Lab.named().name}"
FILL_PERCENT = 85
MEMORY_GOAL_MIB = 2048
COLD_GOAL_SECONDS, WARM_GOAL_SECONDS = 360, 180


class DemoError(Exception):
    pass


class Story:
    """Tells each step, times it, and keeps the figures."""

    def __init__(self) -> None:
        self.figures: list[dict[str, object]] = []
        self.begin = time.monotonic()
        self.peak_mib = 0
        self.ended = threading.Event()

    def tell(self, text: str) -> None:
        print(f"\n\033[1m[{time.monotonic() - self.begin:4.0f} s] {text}\033[0m", flush=True)

    def step(self, name: str, goal: float, seconds: float) -> None:
        self.figures.append(phases.figure(name, round(seconds, 1), "s", f"< {goal:.0f}", seconds < goal))

    def watch_memory(self) -> None:
        while not self.ended.wait(10):
            done = subprocess.run([*LAB, "memory"], capture_output=True, text=True)
            if done.returncode == 0:
                self.peak_mib = max(self.peak_mib, int(done.stdout))


def play(story: Story, name: str, book: str, goal: float, **extra: Any) -> playbook.Run:
    run = playbook.run(
        inventory(), book, log=OUT / f"{name}.log", show_plays=True, extra_vars=extra.pop("extra_vars", None)
    )
    story.step(name, goal, run.seconds)
    if run.status:
        raise DemoError(f"{book} failed; the end of {OUT / name}.log:\n{run.output[-3000:]}")
    return run


def inventory() -> Path:
    return Path(subprocess.run([*LAB, "inventory"], capture_output=True, text=True, check=True).stdout.strip())


def facts(story: Story, name: str) -> dict[str, Any]:
    target = OUT / f"{name}.json"
    play(story, name, "lab/demo/facts.yml", 30, extra_vars={"demo_facts_file": str(target)})
    return dict(json.loads(target.read_text()))


def show_clusters(known: dict[str, Any]) -> dict[str, Any]:
    mesos, scaleio = known["mesos"], known["scaleio"]
    mdm = scaleio["system"]["mdm"]
    pool = dict(scaleio["storage_pools"][0])
    names = [member["name"] for member in mdm["secondaries"]], [member["name"] for member in mdm["tie_breakers"]]
    print(
        f"    Mesos {mesos['version']}, leader {mesos['leader']['hostname']}, {len(mesos['agents'])} agents registered"
    )
    print(
        f"    ScaleIO {scaleio['system']['version']}, {mdm['mode']}, {mdm['state']}: primary {mdm['primary']['name']},"
    )
    print(
        f"      secondary {', '.join(names[0])}, tie-breaker {', '.join(names[1])}; {len(scaleio['sds'])} SDS connected"
    )
    show_pool(pool)
    return pool


def show_pool(pool: dict[str, Any]) -> None:
    capacity = pool["capacity"]
    writable = capacity["limit_kib"] - capacity["spare_kib"]
    print(
        f"    pool '{pool['name']}': {capacity['limit_kib'] / 2**20:.0f} GiB raw, {pool['spare_percentage']} % spare, "
        f"{capacity['in_use_kib'] / 2**20:.0f} of {writable / 2**20:.0f} GiB written: {pool['used_percent']:.1f} %"
    )


def write_gib(pool: dict[str, Any]) -> int:
    """Data to write, in GiB, so that the pool is just past FILL_PERCENT of what may be written (two copies of each)."""
    capacity = pool["capacity"]
    writable = capacity["limit_kib"] - capacity["spare_kib"]
    return -(-(writable * FILL_PERCENT // 100 - capacity["in_use_kib"]) // 2**21)


def tell(story: Story) -> None:
    subprocess.run([*LAB, "down"], check=True)
    OUT.mkdir(parents=True, exist_ok=True)
    story.tell("Six hosts come up: three masters, three agents, each with a blank 180 GiB disk")
    started = time.monotonic()
    if subprocess.run([*LAB, "up"], stdout=subprocess.DEVNULL).returncode:
        raise DemoError("the lab did not come up")
    timings = json.loads((inventory().parent / "timings.json").read_text())
    for part, seconds in timings.items():
        story.step(f"lab: {part}", 10 if part == "six hosts" else 120, seconds)
    story.step("lab", 180, time.monotonic() - started)
    threading.Thread(target=story.watch_memory, daemon=True).start()

    story.tell("site.yml turns them into Mesos with ScaleIO")
    play(story, "site", "playbooks/site.yml", 150)
    pool = show_clusters(facts(story, "facts"))

    story.tell(f"A container's volume fills the pool past {FILL_PERCENT} % of what may be written")
    play(story, "fill", "lab/demo/fill.yml", 60, extra_vars={"demo_write_gib": write_gib(pool)})
    before = facts(story, "facts-full")["scaleio"]["storage_pools"][0]
    show_pool(before)

    story.tell("The scheduled playbook: remediate.yml sees it, buys EBS volumes, adds them, proves that the pool grew")
    play(story, "remediate", "playbooks/remediate.yml", 60)
    after = facts(story, "facts-grown")["scaleio"]["storage_pools"][0]
    print((REPORTS / "latest.txt").read_text())
    show_pool(after)
    if after["capacity"]["limit_kib"] <= before["capacity"]["limit_kib"]:
        raise DemoError("the pool did not grow")

    story.tell("The same playbook again: nothing to do")
    second = play(story, "remediate-again", "playbooks/remediate.yml", 15)
    if second.changed:
        raise DemoError(f"the second run changed something: {second.changed}")
    print("    changed=0 on every host")


def finish(story: Story) -> bool:
    story.ended.set()
    total = time.monotonic() - story.begin
    cold = any(entry["name"] == "lab: host image" and float(str(entry["value"])) > 1 for entry in story.figures)
    story.step("total", COLD_GOAL_SECONDS if cold else WARM_GOAL_SECONDS, total)
    memory_ok = 0 < story.peak_mib < MEMORY_GOAL_MIB
    story.figures.append(phases.figure("peak memory", story.peak_mib, "MiB", f"< {MEMORY_GOAL_MIB}", memory_ok))
    phases.write("demo", story.figures)
    print("\nHow long it took (build/results/demo.json):")
    for entry in story.figures:
        mark = "" if entry["ok"] else f"   over its goal, {entry['goal']}"
        print(f"  {entry['name']:<32} {entry['value']:>7} {entry['unit']}{mark}")
    return all(bool(entry["ok"]) for entry in story.figures)


GUIDE = """
Look around:
  lab/bin/lab ssh agent1                     log in; then: systemctl status mdm sds; drv_cfg and scli as on a real host
  ansible-playbook -i {inventory} playbooks/verify.yml
  ansible-playbook -i {inventory} playbooks/remediate.yml --check
  the report: {report}
  what each playbook printed: {out}
Break something:
  lab/bin/lab kill agent1                    the MDM primary dies, the secondary takes over; lab/bin/lab start agent1
Take it down:
  make lab-down
"""


def main() -> int:
    story = Story()
    try:
        tell(story)
    except (DemoError, subprocess.CalledProcessError) as error:
        print(f"\ndemo: {error}\nThe lab is left as it is: lab/bin/lab status, make lab-down", file=sys.stderr)
        finish(story)
        return 1
    ok = finish(story)
    build = Path("build")
    print(
        GUIDE.format(
            inventory=build / f"inventory-{Lab.named().name}", report=build / REPORTS.name, out=build / OUT.name
        )
    )
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
