# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The masters as they stand in ZooKeeper, where they elect their leader."""

from __future__ import annotations

import json
import logging
import time
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, NoLeader
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import Endpoint

try:
    from kazoo.client import KazooClient
    from kazoo.exceptions import KazooException, NoNodeError
    from kazoo.handlers.threading import KazooTimeoutError
except ImportError:
    KazooClient = None

SCHEME = "zk://"
NODE_PREFIX = "json.info_"
PAUSE_SECONDS = 0.5


def is_address(texts: list[str]) -> bool:
    return any(text.startswith(SCHEME) for text in texts)


def read_masters(texts: list[str], scheme: str, timeout_seconds: float) -> tuple[Endpoint, ...]:
    """The masters that are in the election at "zk://HOST:PORT,HOST:PORT/PATH", the leading one first.

    The address may come in parts, as its commas also separate the items of a list. During an election it is waited for
    somebody to stand in it.
    """
    hosts, path = _parse(",".join(texts))
    if KazooClient is None:
        raise BadOption(
            "masters is an address in ZooKeeper, and the Python package kazoo is not installed here.",
            remedy="Install it, or list the masters themselves.",
            about="masters",
        )
    silent = logging.getLogger("mesos_scaleio.kazoo")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    client = KazooClient(hosts=hosts, timeout=min(10.0, timeout_seconds), logger=silent)
    deadline = time.monotonic() + timeout_seconds
    try:
        client.start(timeout=timeout_seconds)
        while True:
            found = _candidates(client, path, scheme)
            if found:
                return tuple(found)
            if time.monotonic() + PAUSE_SECONDS > deadline:
                break
            time.sleep(PAUSE_SECONDS)
    except (KazooException, KazooTimeoutError) as error:
        raise NoLeader(
            f"ZooKeeper at {hosts} did not answer within {timeout_seconds:g} s ({error or 'no connection'}).",
            remedy="Check that a majority of its servers runs and that masters is right, or list the masters there.",
            server=str(error),
            about=hosts,
        ) from error
    finally:
        client.stop()
        client.close()
    raise NoLeader(
        f"No Mesos master stands for election at {path} in ZooKeeper at {hosts}.",
        remedy="Check that masters ends with the path of the masters' own flag --zk, and that they run.",
        about=path,
    )


def _parse(address: str) -> tuple[str, str]:
    """The servers, as kazoo takes them, and the path."""
    parts = urlsplit(address)
    hosts, path = parts.netloc, parts.path.rstrip("/")
    if not address.startswith(SCHEME) or SCHEME in address[1:] or "@" in hosts or not path or not all(hosts.split(",")):
        raise BadOption(
            f"{address.rpartition('@')[2]!r} is not the address of Mesos masters in ZooKeeper.",
            remedy="Give masters as zk://HOST:2181,HOST:2181/mesos and nothing else; reading it needs no credentials.",
            about="masters",
        )
    return hosts, path


def _candidates(client: Any, path: str, scheme: str) -> list[Endpoint]:
    found = []
    try:
        names = [name for name in client.get_children(path) if name.startswith(NODE_PREFIX)]
    except NoNodeError:
        return []
    # the one that has been waiting for longest leads
    for name in sorted(names, key=lambda one: int(one[len(NODE_PREFIX) :])):
        try:
            info = json.loads(client.get(f"{path}/{name}")[0])
        except NoNodeError:
            continue  # it has just ended
        address = info.get("address", {})
        # a certificate is for a name, and an address needs no resolving
        host = info["hostname"] if scheme == "https" else address.get("ip") or info["hostname"]
        found.append(Endpoint(scheme, host, int(address.get("port") or info["port"])))
    return found
