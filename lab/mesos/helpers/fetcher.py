#!/usr/bin/env -S python3 -B
"""mesos-fetcher: brings the URIs of a task into its sandbox; the agent passes the work in MESOS_FETCHER_INFO.

Schemes: plain paths, file, http, https, ftp.
"""

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

TAR_SUFFIXES = (".tgz", ".tar", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz")


def download(uri, target, frameworks_home):
    print(f"Fetching '{uri}' to '{target}'", flush=True)
    path = uri.removeprefix("file://")
    if "://" in path:
        with urllib.request.urlopen(uri, timeout=60) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        return
    if not os.path.isabs(path):
        if not frameworks_home:
            sys.exit(f"A relative path was given, but the agent has no frameworks home: {uri}")
        path = os.path.join(frameworks_home, path)
    shutil.copy(path, target)


def extract(path, sandbox):
    if path.name.endswith(TAR_SUFFIXES):
        subprocess.run(["tar", "-C", sandbox, "-xf", path], check=True)
    elif path.name.endswith(".zip"):
        subprocess.run(["unzip", "-o", "-q", "-d", sandbox, path], check=True)
    elif path.name.endswith(".gz"):
        with (sandbox / path.stem).open("wb") as sink:
            subprocess.run(["gzip", "-dc", path], stdout=sink, check=True)


def fetch(item, info, sandbox):
    uri = item["uri"]
    name = uri.get("output_file") or urllib.parse.unquote(uri["value"].split("?")[0].rsplit("/", 1)[-1])
    target = sandbox / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if item["action"] == "BYPASS_CACHE":
        download(uri["value"], target, info.get("frameworks_home"))
    else:
        cached = Path(info["cache_directory"], item["cache_filename"])
        cached.parent.mkdir(parents=True, exist_ok=True)
        if item["action"] == "DOWNLOAD_AND_CACHE":
            download(uri["value"], cached, info.get("frameworks_home"))
        shutil.copy(cached, target)
    if uri.get("executable"):
        target.chmod(0o755)
    elif uri.get("extract", True):
        extract(target, sandbox)
    if "user" in info and os.getuid() == 0:
        for path in [target, *sandbox.rglob("*")]:
            shutil.chown(path, info["user"])
    print(f"Fetched '{uri['value']}' to '{target}'", flush=True)


def main():
    info = json.loads(os.environ["MESOS_FETCHER_INFO"])
    sandbox = Path(info["sandbox_directory"])
    for item in info.get("items", []):
        fetch(item, info, sandbox)


if __name__ == "__main__":
    main()
