"""History and audit log of several controllers at once: nothing is lost, the chain never forks, whatever the place."""

import contextlib
import io
import json
import os
import threading

import boto3
import pytest
from moto.server import ThreadedMotoServer

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.audit import verify
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import KEPT_SECONDS
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.files import write_at_once
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.records import Folder, Records
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.records_s3 import Bucket, RecordsError
from tests.unit.plugins.remediation.worlds import NOW, iso

ACCESS = {"region": "us-east-1", "access_key": "some-key", "secret_key": "canary-secret"}


@pytest.fixture(scope="module")
def service():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):
        server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="records")
    yield {**ACCESS, "endpoint_url": endpoint, "bucket": "records"}
    server.stop()


class InFolder:
    def __init__(self, path):
        self.path = path

    def open(self):
        return self

    def keep(self, records, now_seconds):
        Folder(self.path).keep(records, 1000, now_seconds)

    def fetch(self):
        return Folder(self.path).fetch()

    def audit_lines(self):
        with open(os.path.join(self.path, "audit.jsonl")) as stream:
            return stream.read().splitlines()


class InBucket:
    def __init__(self, **given):
        self.given = given

    def open(self):
        return Bucket(**self.given)


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path, service):
    if request.param == "folder":
        return InFolder(str(tmp_path / "there"))
    return InBucket(**service, prefix=request.node.name)


def line(at_seconds, run_id):
    sample = {"limit_kib": 10, "in_use_kib": 5, "used_percent": 50.0}
    return json.dumps({"at": iso(at_seconds), "pool_id": "p", "run_id": run_id, **sample})


def test_many_controllers_at_once_leave_one_chain_and_the_history_of_all(place):
    def work(number):
        controller = place.open()
        for run in range(3):
            name = f"{number}-{run}"
            controller.keep(Records((line(NOW, name),), {"run_id": name}), NOW)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {f"{number}-{run}" for number in range(4) for run in range(3)}
    lines = place.open().audit_lines()
    assert verify(lines) == verify(lines[:12])
    assert (verify(lines).intact, verify(lines).lines, verify(lines).chains) == (True, 12, 1)
    assert {json.loads(own)["run_id"] for own in lines} == expected
    history = place.open().fetch()["history.jsonl"].splitlines()
    assert {json.loads(own)["run_id"] for own in history} == expected
    assert len(history) == 12


def test_what_no_forecast_needs_any_more_is_forgotten_and_who_was_told_is_not(place):
    old = NOW - KEPT_SECONDS
    place.open().keep(Records((line(old, "old"),), notified='{"status": "capped"}\n', files={"latest.txt": "x\n"}), old)
    assert "old" in place.open().fetch()["history.jsonl"]
    later = NOW + 2 * 86400
    place.open().keep(Records((line(later, "new"),)), later)
    found = place.open().fetch()
    assert [json.loads(own)["run_id"] for own in found["history.jsonl"].splitlines()] == ["new"]
    assert found["notified.json"] == '{"status": "capped"}\n'
    place.open().keep(Records(notified=""), later)
    assert "notified.json" not in place.open().fetch()


def test_what_killed_writers_left_is_taken_away_after_a_day(tmp_path, monkeypatch):
    def killed(*_paths):
        raise KeyboardInterrupt

    left = set()
    for hours in (23, 25):
        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                write_at_once(str(tmp_path / "latest.json"), "{}")
        (path,) = {path.name for path in tmp_path.iterdir()} - left
        os.utime(tmp_path / path, (NOW - 3600 * hours,) * 2)
        left.add(path)
    somebodys = tmp_path / "notes.tmp"
    somebodys.touch()
    os.utime(somebodys, (0, 0))
    Folder(tmp_path).keep(Records(), 1000, NOW)
    young = next(name for name in left if name != path)
    assert {item.name for item in tmp_path.iterdir()} == {young, "notes.tmp", ".guard"}


def test_in_s3_a_lost_answer_writes_no_line_twice_and_a_lost_hint_is_no_loss(service):
    bucket = Bucket(**service, prefix="lost")
    bucket.keep(Records(audit={"run_id": "1"}), NOW)
    send, lost = bucket._client.put_object, []

    def put_object(**given):
        answer = send(**given)
        if "audit/0" in given["Key"] and not lost:
            lost.append(given["Key"])
            return send(**given)  # what botocore does when the answer was lost: S3 refuses the second one
        return answer

    bucket._client.put_object = put_object
    bucket.keep(Records(audit={"run_id": "2"}), NOW)
    assert lost
    bucket._client.delete_object(Bucket="records", Key="lost/audit/last")
    Bucket(**service, prefix="lost").keep(Records(audit={"run_id": "3"}), NOW)
    lines = Bucket(**service, prefix="lost").audit_lines()
    assert [json.loads(own)["run_id"] for own in lines] == ["1", "2", "3"]
    assert verify(lines).intact


def test_a_bucket_that_is_not_there_is_one_sentence_without_secrets(service):
    with pytest.raises(RecordsError) as refusal:
        Bucket(**{**service, "bucket": "no-such"}).fetch()
    assert "s3://no-such/mesos_scaleio/remediation cannot be used" in str(refusal.value)
    assert "s3:GetObject" in str(refusal.value)
    assert ACCESS["secret_key"] not in str(refusal.value)
