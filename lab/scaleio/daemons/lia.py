"""The LIA daemon: the installation agent, which answers whoever knows its token."""

from __future__ import annotations

import hmac
import sys
from pathlib import Path

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.files import read_properties
from lab.scaleio.daemons.service import Arguments, until_terminated

COMPONENTS = ("mdm", "sds", "sdc", "lia", "gateway")


class Lia:
    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root

    def answer(self, request: dict, _client_ip: str) -> dict:
        token = read_properties(self._folder / "conf.txt").get("lia_token", "")
        if not token or not hmac.compare_digest(token, str(request.get("token", ""))):
            return {"ok": False, "message": "wrong token"}
        installation = self._folder / "installation_id.txt"
        return {
            "ok": True,
            "installation_id": installation.read_text().strip() if installation.exists() else None,
            "components": [name for name in COMPONENTS if (self._root / name).is_dir()],
        }


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="lia", description="The ScaleIO installation agent of the lab.")
    parser.add_argument("--folder", type=Path, default=Path("/opt/emc/scaleio/lia/cfg"))
    parser.add_argument("--root", type=Path, default=Path("/opt/emc/scaleio"), help="where components are installed")
    parser.add_argument("--listen", default="0.0.0.0", metavar="IP")
    parser.add_argument("--port", type=int, default=9099)
    options = parser.parse_args(arguments)
    try:
        server = wire.Server((options.listen, options.port), Lia(options.folder, options.root).answer)
    except OSError as exc:
        parser.error(f"cannot listen on {options.listen}:{options.port}: {exc.strerror}")
    until_terminated({"listen": f"{options.listen}:{options.port}"})
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
