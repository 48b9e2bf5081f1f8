"""What a greedy framework gets from a real cluster: it takes every offer that comes, and never anything in it."""

from __future__ import annotations

from typing import Any

from tests.contract.mesos.mesos_support import ConnectedScheduler

GREEDY: dict[str, Any] = {
    "name": "greedy",
    "user": "root",
    "roles": ["greedy"],
    "capabilities": [{"type": "MULTI_ROLE"}],
}


def greedy_offers(master: str, count: int, **info: Any) -> list[dict[str, Any]]:
    """The first offers, at least COUNT of them; what is declined comes again at once."""
    scheduler = ConnectedScheduler(master, {**GREEDY, **info})
    offers: list[dict[str, Any]] = []
    try:
        while len(offers) < count:
            batch = scheduler.next("OFFERS")["offers"]["offers"]
            offers += batch
            declined = {"offer_ids": [offer["id"] for offer in batch], "filters": {"refuse_seconds": 0.1}}
            scheduler.send("DECLINE", decline=declined)
    finally:
        scheduler.send("TEARDOWN")
        scheduler.close()
    return offers


def scalars(offer: dict[str, Any]) -> dict[str, float]:
    """Amounts of an offer that nobody has reserved; the whole offer must be of that kind."""
    assert not [one for one in offer["resources"] if one.get("reservations")]
    return {one["name"]: one["scalar"]["value"] for one in offer["resources"] if one["type"] == "SCALAR"}
