"""PyPowerFlex, of whichever version the path finds, behind lines of JSON: connect, then calls by their path."""

from __future__ import annotations

import json
import sys
from functools import reduce
from typing import Any

from PyPowerFlex import PowerFlexClient


def answer(client: list[Any], question: dict[str, Any]) -> object:
    if "connect" in question:
        client[:] = [PowerFlexClient(**question["connect"])]
        client[0].initialize()
        return None
    function = reduce(getattr, question["call"], client[0])
    return function(*question["args"], **question["kwargs"])


def main() -> None:
    # The client's own messages must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    client: list[Any] = []
    for line in sys.stdin:
        try:
            result = {"value": answer(client, json.loads(line))}
        except Exception as error:  # whatever it is, the test wants to see it
            result = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(result) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
