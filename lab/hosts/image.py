"""The base image of a host: a small Debian with systemd, ssh and Python, built once and cached."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from lab import paths
from lab.hosts import aptcache, podman
from lab.hosts.config import APT_PROXY_PORT, SHARED_ADDRESS, LabError

GUEST = Path(__file__).parent / "guest"
# A Java runtime is in the image because unpacking one on three hosts costs a demo half a minute;
# everything else that a role needs, the role installs.
PACKAGES = [
    *("systemd", "systemd-sysv", "dbus", "procps", "sudo", "openssh-server", "python3", "python3-apt"),
    *("iproute2", "iputils-ping", "e2fsprogs", "openssl", "ca-certificates", "gnupg", "default-jre"),
]
MASKED = (
    "console-getty.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer "
    "e2scrub_all.timer fstrim.timer systemd-timesyncd.service"
)
GUEST_PROGRAMS = ("lab-boot", "lab-routes", "lab-disks")
HOST_APT = f"""Acquire::http::Proxy "http://{SHARED_ADDRESS}:{APT_PROXY_PORT}";
Acquire::Languages "none";
APT::Install-Recommends "false";
"""


def ssh_key() -> Path:
    """The key that logs in as `ops` on the hosts; made on first use."""
    key = paths.home() / "ssh" / "id_ed25519"
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key)], check=True)
    return key


def tag() -> str:
    """The image's name: it follows everything that goes into it."""
    digest = hashlib.sha256(repr((PACKAGES, MASKED, HOST_APT)).encode())
    for part in [*sorted(GUEST.iterdir()), Path(__file__), ssh_key().with_suffix(".pub")]:
        digest.update(part.read_bytes())
    return f"localhost/mesos-scaleio-lab:{digest.hexdigest()[:12]}"


def ensure() -> str:
    """Build the image unless it is there; its name."""
    name = tag()
    if podman.succeeds("image", "exists", name):
        return name
    work = paths.home() / "image"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        _bootstrap(work)
        podman.podman(
            *("import", "-q", "--change", 'CMD ["/sbin/init"]', "--change", "STOPSIGNAL SIGRTMIN+3"),
            *(str(work / "base.tar"), name),
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for old in podman.podman("images", "-q", "--filter", "dangling=true").split():
        podman.podman("rmi", old, check=False)
    return name


def _bootstrap(work: Path) -> None:
    sources = work / "sources.list"
    sources.write_text(_machine_sources())
    overlay = _overlay(work)
    hooks = [
        f"sync-in {overlay} /",
        f'chroot "$1" systemctl -q mask {MASKED}',
        'chroot "$1" systemctl -q set-default multi-user.target',
        'chroot "$1" systemctl -q enable lab-boot',
        'chroot "$1" useradd -m -s /bin/bash ops',
        'chroot "$1" chown -R ops:ops /home/ops',
        ': > "$1/etc/machine-id"; rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1/etc/hosts"',
    ]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--skip=cleanup/apt/lists"]
    command += ["--include=" + ",".join(PACKAGES), "--dpkgopt=force-unsafe-io", '--aptopt=Acquire::Languages "none"']
    command += ['--aptopt=APT::Install-Recommends "false"']
    command += [f"--customize-hook={hook}" for hook in hooks]
    command += [_suite(), str(work / "base.tar"), str(sources)]
    scratch = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 3 << 30 else str(work)
    environment = {**os.environ, "TMPDIR": scratch, "http_proxy": aptcache.local_url()}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise LabError("building the host image failed:\n" + done.stderr.strip()[-2000:])


def _overlay(work: Path) -> Path:
    """Files that go into the image as they are."""
    root = work / "overlay"
    public = ssh_key().with_suffix(".pub").read_text()
    files = {
        **{f"usr/local/sbin/{name}": ((GUEST / name).read_text(), 0o755) for name in GUEST_PROGRAMS},
        "etc/systemd/system/lab-boot.service": ((GUEST / "lab-boot.service").read_text(), 0o644),
        "etc/apt/apt.conf.d/02lab": (HOST_APT, 0o644),
        "etc/apt/sources.list.d/lab.list": ("deb [trusted=yes] file:/srv/lab-packages ./\n", 0o644),
        "etc/dpkg/dpkg.cfg.d/lab": ("force-unsafe-io\n", 0o644),
        "etc/sudoers.d/ops": ("ops ALL=(ALL) NOPASSWD: ALL\n", 0o440),
        "etc/ssh/sshd_config.d/lab.conf": ("UseDNS no\nMaxStartups 100\n", 0o644),
        "home/ops/.ssh/authorized_keys": (public, 0o600),
    }
    for path, (text, mode) in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        target.write_text(text)
        target.chmod(mode)
    (root / "home/ops/.ssh").chmod(0o700)
    return root


def _suite() -> str:
    found = re.search(r"^VERSION_CODENAME=(\S+)", Path("/etc/os-release").read_text(), re.M)
    if not found or found[1] != "bookworm":
        raise LabError("the lab's host image needs a Debian 12 (bookworm) machine with its package sources")
    return found[1]


def _machine_sources() -> str:
    """The package sources of this machine, in one-line form."""
    lines = []
    for file in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text()):
            fields = dict(re.findall(r"^(URIs|Suites|Components|Types):\s*(.+)$", stanza, re.M))
            if "deb" in fields.get("Types", "").split():
                for suite in fields["Suites"].split():
                    lines += [f"deb {uri} {suite} {fields['Components']}" for uri in fields["URIs"].split()]
    classic = Path("/etc/apt/sources.list")
    if classic.exists():
        lines += re.findall(r"^deb .+$", classic.read_text(), re.M)
    if not lines:
        raise LabError("this machine's apt configuration names no package source: see /etc/apt/sources.list.d")
    return "\n".join(lines) + "\n"
