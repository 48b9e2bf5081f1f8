"""What the docker/volume isolator does around a container, as a shell command: the lab's agents cannot run it.

It mounts the volume through dvdcli before the command and unmounts it after the command's end. Where the isolator binds
the mount point into the container, the command here finds its path in $VOLUME.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Volume:
    driver: str
    name: str
    options: str  # key=value,...

    @classmethod
    def parsed(cls, text: str) -> Volume:
        """Of DRIVER:NAME[:KEY=VALUE,...]"""
        driver, name, *options = text.split(":", 2)
        if not driver or not name:
            raise argparse.ArgumentTypeError(f"{text}: write DRIVER:NAME[:KEY=VALUE,...]")
        return cls(driver, name, options[0] if options else "")


def around(volume: Volume, command: str) -> str:
    """The isolator gives dvdcli its options one by one; an end by a signal comes after the volume's release."""
    which = f"--volumedriver={shlex.quote(volume.driver)} --volumename={shlex.quote(volume.name)}"
    options = "".join(f" --volumeopts={shlex.quote(option)}" for option in volume.options.split(",") if option)
    return f"""
VOLUME=$(dvdcli mount {which}{options}) || exit 1
export VOLUME
trap : TERM
/bin/sh -c {shlex.quote(command)} &
while :; do
  wait $!
  status=$?
  kill -0 $! 2>/dev/null || break
done
dvdcli unmount {which} || exit 1
exit $status
"""
