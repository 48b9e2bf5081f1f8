"""EC2 throttles every call for a while: a run that nobody has to be woken for waits for the next one, twice.

The runs are those of engine.py.
"""

from __future__ import annotations

from lab.scaleio import content
from tests.chaos.stage import Stage

ALWAYS = 1000  # calls


def test_the_third_run_in_a_row_that_is_not_served_fails(theatre: Stage) -> None:
    theatre.begin()
    theatre.scaleio.system.advance()
    content.fill_pool(theatre.scaleio.system, "default", 60)
    assert theatre.play().told == "ok"
    theatre.fault("DescribeVolumes", kind="throttle", times=ALWAYS)
    runs = [theatre.play() for _run in range(3)]
    assert [run.told for run in runs] == ["retry", "retry", "failed"]
    assert "the third in a row that ends like this fails" in runs[0].answer["text"]
    theatre.clear_faults()
    assert theatre.play().told == "ok"
