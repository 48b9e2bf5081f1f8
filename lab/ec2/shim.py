"""The WSGI application in front of moto: reads each EC2 call, refuses, delays, remembers, then lets moto answer."""

from __future__ import annotations

import io
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models.elastic_block_store import Volume
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lab.ec2 import filters, quotas, rules, volume_status
from lab.ec2.errors import Ec2Error
from lab.ec2.faults import PAGE, UNREADABLE, Fault, Record
from lab.ec2.iam import Documents
from lab.ec2.latency import Latency
from lab.ec2.lifecycle import Lifecycle
from lab.ec2.paging import LISTS, page
from lab.ec2.world import EmulatedVolume, Form, Remembered, World, numbered

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
ALWAYS_ANSWERED = {"SnapshotId": "", "MultiAttachEnabled": "false"}
ANSWERED_BY_TYPE = {"gp3": {"Throughput": "125"}}
BROKEN_CONNECTIONS = {"lost_request", "lost_answer", "timeout", "timeout_before"}
Answer = tuple[int, list[tuple[str, str]], bytes]


class Shim:
    """Serves all of moto; calls to EC2 pass the rules first."""

    def __init__(
        self,
        *,
        record: Record,
        documents: Documents,
        lifecycle: Lifecycle,
        latency: Latency,
        lock: threading.RLock,
        storage_quota_tib: int,
    ) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._record = record
        self._documents = documents
        self._lifecycle = lifecycle
        self._latency = latency
        self._lock = lock
        self._storage_quota_tib = storage_quota_tib
        self._worlds: dict[str, World] = {}
        # How far the Date of all answers is ahead of this machine's time.
        self.date_ahead_seconds = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope and scope["service"] == "servicequotas":
            place = f"arn:aws:servicequotas:{scope['region']}:{DEFAULT_ACCOUNT_ID}"
            key = scope["key"]
            found = quotas.answer(
                body,
                self._storage_quota_tib,
                lambda action, own: self._documents.refusal(key, action, f"{place}:{own}"),
            )
            if found:
                return _respond(start_response, found[0], _json_headers(), json.dumps(found[1]).encode())
        if not scope or scope["service"] != "ec2":
            status, headers, answer = self._forward(environ, body)
            return _respond(start_response, status, headers, answer)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        fault = self._record.next_fault(form)
        kind = fault.kind if fault else ""
        seconds = self._latency.seconds("read" if form.get("Action", "").startswith("Describe") else "write")
        self._latency.wait(seconds)
        if kind in {"lost_request", "timeout_before"}:
            status, headers, answer = 0, [], b""
        else:
            status, headers, answer = self._serve(environ, form, scope["region"], scope["key"], fault)
        code = re.search(rb"<Code>([^<]+)</Code>", answer) if status >= 400 else None
        self._record.add(form, status, code[1].decode() if code else None, fault, seconds)
        if fault and kind in {"timeout", "timeout_before"}:
            self._record.wait((fault.seconds or 0) * self._latency.time_scale)
        if kind in UNREADABLE:
            return _spoilt(kind, environ, start_response, (status, headers, answer))
        if kind in BROKEN_CONNECTIONS:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return _respond(start_response, status or 500, headers, answer)

    def reset(self) -> None:
        self._record.reset()
        self.date_ahead_seconds = 0.0

    def set_date(self, body: Mapping[str, Any]) -> dict[str, float]:
        self.date_ahead_seconds = float(body["ahead_seconds"])
        return {"ahead_seconds": self.date_ahead_seconds}

    def _serve(self, environ: dict[str, Any], form: Form, region: str, access_key: str, fault: Fault | None) -> Answer:
        kind = fault.kind if fault else ""
        try:
            if fault and kind == "delay":
                self._latency.wait(fault.seconds or 0)
            if kind == "bad_gateway":
                return 502, [("Content-Type", "text/html")], b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            if refusal := fault.refusal(form) if fault else None:
                raise refusal
            with self._lock:
                world = self._worlds.setdefault(region, World(region, self._storage_quota_tib))
                self._documents.authorize(access_key, form, world)
                world.caller = access_key
                rules.check(form, world)
                with self._lifecycle.fate(kind):
                    if fault and kind == "stale":
                        with world.as_of(time.time() - (fault.seconds or 0) * self._latency.time_scale):
                            return self._answer(environ, form, world)
                    return self._answer(environ, form, world)
        except Ec2Error as error:
            return error.status, _xml_headers(), error.body()

    def _answer(self, environ: dict[str, Any], form: Form, world: World) -> Answer:
        action = form["Action"]
        dry_run = form.get("DryRun", "").lower() == "true"
        if not dry_run:
            if action == "CreateVolume":
                return self._create(environ, form, world)
            if action == "AttachVolume":
                return self._attach(environ, form, world)
            if action == "DetachVolume":
                return self._detach(form, world)
            if action == "DeleteVolume":
                self._lifecycle.deleting(world, world.volume(form["VolumeId"]))
                return 200, _xml_headers(), _xml("DeleteVolumeResponse", {"return": "true"})
            if action == "TerminateInstances":
                return self._terminate(environ, form, world)
            if action == "ModifyVolume":
                return self._modify(environ, form, world)
            if action == "RunInstances":
                return self._run(environ, form, world)
        if action == "GetEbsDefaultKmsKeyId" and not world.ec2.default_kms_key_id:
            return 200, _xml_headers(), _xml(f"{action}Response", {"kmsKeyId": "alias/aws/ebs"})
        if action == "DescribeVolumeStatus":
            items = volume_status.describe(form, world, world.volume_status)
            status, headers, answer = 200, _xml_headers(), _xml(f"{action}Response", {"volumeStatusSet": items})
        else:
            form = filters.translated(form, world)
            status, headers, answer = self._forward(environ, urlencode(form).encode())
        if status == 200 and action in LISTS:
            answer = page(answer, form)
        return status, headers, answer

    def each_world(self, act: Callable[[World], None]) -> None:
        with self._lock:
            for world in self._worlds.values():
                act(world)

    def set_volume_status(self, body: Mapping[str, Any]) -> dict[str, str]:
        with self._lock:
            for world in self._worlds.values():
                if body["volume_id"] in world.ec2.volumes:
                    return volume_status.set_status(world.volume_status, body)
        raise ValueError(f"there is no volume {body['volume_id']}")

    def _modify(self, environ: dict[str, Any], form: Form, world: World) -> Answer:
        status, headers, answer = self._forward(environ, urlencode(form).encode())
        if status == 200:
            self._lifecycle.modifying(world.volume(form["VolumeId"]))
            answer = answer.replace(b">completed<", b">modifying<").replace(b"<progress>100<", b"<progress>0<")
        return status, headers, answer

    def _create(self, environ: dict[str, Any], form: Form, world: World) -> Answer:
        token = form.get("ClientToken")
        if token and token in world.tokens:
            return 200, _xml_headers(), world.tokens[token].answer
        sent = {**ANSWERED_BY_TYPE.get(form.get("VolumeType", ""), {}), **ALWAYS_ANSWERED, **form}
        if zone_id := sent.pop("AvailabilityZoneId", None):
            sent["AvailabilityZone"] = next(name for name, own in world.zone_names().items() if own == zone_id)
        if world.encrypts_by_default():
            sent["Encrypted"] = "true"
        before = set(world.ec2.volumes)
        status, headers, answer = self._forward(environ, urlencode(sent).encode())
        if status != 200:
            return status, headers, answer
        (volume_id,) = set(world.ec2.volumes) - before
        answer = _with_usual_iops(world.volume(volume_id), answer)
        key = form.get("KmsKeyId")
        fails = bool(key) and not self._key_works(world, str(key))
        self._lifecycle.created(world, world.volume(volume_id), fails)
        answer = re.sub(rb"<status>[^<]*</status>", b"<status>creating</status>", answer)
        if token:
            world.tokens[token] = Remembered(rules.fingerprint(form), volume_id, answer)
        return status, headers, answer

    def _key_works(self, world: World, key: str) -> bool:
        arn = world.kms_key_arn(key)
        return bool(arn) and self._documents.may_use_key(world.caller, arn, world.region)

    def _attach(self, environ: dict[str, Any], form: Form, world: World) -> Answer:
        world.changes(form["VolumeId"])
        status, headers, answer = self._forward(environ, urlencode(form).encode())
        if status == 200:
            self._lifecycle.attached(world, world.volume(form["VolumeId"]))
        return status, headers, answer

    def _detach(self, form: Form, world: World) -> Answer:
        volume = world.volume(form["VolumeId"])
        self._lifecycle.detaching(world, volume)
        fields = {
            "volumeId": volume.id,
            "instanceId": volume.attachment.instance.id,
            "device": volume.attachment.device,
            "status": "detaching",
        }
        return 200, _xml_headers(), _xml("DetachVolumeResponse", fields)

    def _run(self, environ: dict[str, Any], form: Form, world: World) -> Answer:
        token = form.get("ClientToken")
        if token and token in world.tokens:
            return 200, _xml_headers(), world.tokens[token].answer
        answer = self._forward(environ, urlencode(form).encode())
        if token and answer[0] == 200:
            world.tokens[token] = Remembered(rules.fingerprint(form), "", answer[2])
        for volume in world.volumes():
            if type(volume) is Volume:
                volume.__class__ = EmulatedVolume
            volume.snapshot_id = volume.snapshot_id or ""
            volume.multi_attach_enabled = bool(volume.multi_attach_enabled)
            for attachment in volume.attachments:
                attachment.delete_on_termination = world.attachments(attachment.instance)[
                    attachment.device
                ].delete_on_termination
        return answer

    def _terminate(self, environ: dict[str, Any], form: Form, world: World) -> Answer:
        held = {}
        for instance_id in numbered(form, "InstanceId"):
            instance = world.instance(instance_id)
            held[instance_id] = (instance, [mapping.volume_id for mapping in world.attachments(instance).values()])
        status, headers, answer = self._forward(environ, urlencode(form).encode())
        if status == 200:
            for instance, volume_ids in held.values():
                self._lifecycle.forgotten(instance, volume_ids)
        return status, headers, answer

    def _forward(self, environ: dict[str, Any], body: bytes) -> Answer:
        got: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            got["status"], got["headers"] = int(status.split(maxsplit=1)[0]), headers

        inner = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = b"".join(self._moto(inner, start_response))
        return got["status"], got["headers"], answer


def _with_usual_iops(volume: Volume, answer: bytes) -> bytes:
    """EC2 tells the IOPS of gp2 too, which nobody can choose: its baseline."""
    if volume.volume_type != "gp2":
        return answer
    volume.iops = min(max(100, 3 * int(volume.size)), 16_000)
    return answer.replace(b"</size>", f"</size><iops>{volume.iops}</iops>".encode(), 1)


def _xml_headers() -> list[tuple[str, str]]:
    return [("Content-Type", "text/xml;charset=UTF-8")]


def _json_headers() -> list[tuple[str, str]]:
    return [("Content-Type", "application/x-amz-json-1.1")]


def _xml(name: str, fields: dict[str, str]) -> bytes:
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
    return f'<{name} xmlns="{NAMESPACE}"><requestId>emulated</requestId>{inner}</{name}>'.encode()


def _spoilt(kind: str, environ: dict[str, Any], start_response: Callable[..., Any], whole: Answer) -> Iterable[bytes]:
    status, headers, answer = whole
    if kind == "page":
        return _respond(start_response, 200, [("Content-Type", "text/html")], PAGE)
    if kind == "cut":
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: text/xml\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
        environ["werkzeug.socket"].sendall(head + answer[: len(answer) // 2])
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return _respond(start_response, status, headers, b"" if kind == "empty" else answer[: len(answer) // 2])


def _respond(
    start_response: Callable[..., Any], status: int, headers: list[tuple[str, str]], answer: bytes
) -> Iterable[bytes]:
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(f"{status} {'OK' if status < 400 else 'Error'}", [*kept, ("Content-Length", str(len(answer)))])
    return [answer]
