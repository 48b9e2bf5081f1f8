"""lab_write: let this host's SDC write user data into a mapped volume, so that its pool fills."""

from __future__ import annotations

import sys

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.sdc import CONTROL
from lab.scaleio.daemons.service import Arguments

CHUNK_GIB = 1.0
TIMEOUT_SECONDS = 30.0


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="lab_write", description="Write user data into a volume that is mapped to this host.")
    parser.add_argument("--volume", required=True, metavar="NAME", help="name or id")
    parser.add_argument("--gib", required=True, type=float)
    parser.add_argument("--progress", action="store_true", help="a line on standard error per chunk")
    parser.add_argument("--control", default=CONTROL, help="socket of the SDC")
    options = parser.parse_args(arguments)
    if options.gib <= 0:
        parser.error("--gib must be above 0")
    written = 0.0
    while written < options.gib:
        chunk = min(CHUNK_GIB, options.gib - written)
        request = {"op": "write", "volume": options.volume, "gib": chunk}
        try:
            answer = wire.call(options.control, request, TIMEOUT_SECONDS)
        except (wire.Unreachable, wire.Interrupted) as exc:
            answer = {"ok": False, "message": f"the SDC does not answer: {exc}"}
        if not answer["ok"]:
            print(f"Error: wrote {written:g} of {options.gib:g} GiB: {answer['message']}", file=sys.stderr)
            return 1
        written += chunk
        if options.progress:
            print(f"{written:g}/{options.gib:g} GiB", file=sys.stderr, flush=True)
    print(f"Wrote {written:g} GiB to {options.volume}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
