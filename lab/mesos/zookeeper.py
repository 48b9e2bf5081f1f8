"""A single ZooKeeper server from Debian's jars, for the masters' election."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

JARS = Path("/usr/share/java")
CONFIGURATION = """\
dataDir={folder}
clientPort={port}
clientPortAddress={ip}
tickTime=500
admin.enableServer=false
4lw.commands.whitelist=srvr
"""
LOGGING = """\
log4j.rootLogger=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %m%n
"""


def missing_packages() -> list[str]:
    """The apt packages to install before a server can start."""
    needed = {"default-jre-headless": shutil.which("java"), "zookeeper": (JARS / "zookeeper.jar").exists()}
    return [package for package, found in needed.items() if not found]


def command(folder: Path, ip: str, port: int) -> list[str]:
    """Write the configuration into folder and return the command that serves it."""
    folder.mkdir()
    (folder / "zoo.cfg").write_text(CONFIGURATION.format(folder=folder, ip=ip, port=port))
    (folder / "log4j.properties").write_text(LOGGING)
    java = ["java", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}:{JARS}/*"]
    return [*java, "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(folder / "zoo.cfg")]


def is_serving(ip: str, port: int) -> bool:
    try:
        with socket.create_connection((ip, port), 2) as connection:
            connection.sendall(b"srvr")
            return b"Mode:" in connection.recv(65536)
    except OSError:
        return False
