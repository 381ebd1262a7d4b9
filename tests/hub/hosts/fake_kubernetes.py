"""A strict stand-in for the part of Kubernetes' API that the fleet uses.

Bodies are checked field by field against the official client's own models, which are generated from
the cluster's OpenAPI document; writes of an old resourceVersion are refused (409), lists come in
pages whose places grow old (410), and pods go in the order of a ReplicaSet's controller.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kubernetes import client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

COST = "controller.kubernetes.io/pod-deletion-cost"
NAMESPACE = "fleet"
PAGE = 2
"""Lists come in pages no longer than this, whatever is asked for."""
PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json")
Json = dict[str, Any]


def faults_of(value: object, type_name: str, place: str = "body") -> list[str]:
    """What in a JSON value is not as the client's model of that name has it."""
    if listed := re.fullmatch(r"[Ll]ist\[(.+)\]", type_name):
        if not isinstance(value, list):
            return [f"{place} is no list"]
        return [
            f for i, one in enumerate(value) for f in faults_of(one, listed[1], f"{place}[{i}]")
        ]
    if mapped := re.fullmatch(r"[Dd]ict\[str, (.+)\]", type_name):
        inner = mapped[1]
        if not isinstance(value, dict):
            return [f"{place} is no object"]
        return [f for k, one in value.items() for f in faults_of(one, inner, f"{place}.{k}")]
    model = getattr(client, type_name, None)
    if model is None:
        wanted: Any = {"str": str, "int": int, "bool": bool, "float": (int, float)}.get(type_name)
        is_fine = wanted is None or (isinstance(value, wanted) and type(value) is not bool)
        return [] if is_fine or type_name == "bool" else [f"{place} is no {type_name}"]
    if not isinstance(value, dict):
        return [f"{place} is no {type_name}"]
    names = {json_name: name for name, json_name in model.attribute_map.items()}
    faults = [f"{place}.{key} is unknown" for key in value if key not in names]
    for key in value.keys() & names.keys():
        faults += faults_of(value[key], model.openapi_types[names[key]], f"{place}.{key}")
    return faults


def status(code: int, reason: str, message: str, headers: dict[str, str] | None = None) -> Response:
    body = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    }  # fmt: skip
    return JSONResponse(body, code, headers)


@dataclass
class FakeCluster:
    deployments: dict[str, Json] = field(default_factory=dict)
    pods: dict[str, Json] = field(default_factory=dict)
    jobs: dict[str, Json] = field(default_factory=dict)
    version: int = 100
    next_refusals: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    """(method, status, headers) of the next call of that method."""
    changed_between: int = 0
    """So often somebody else changes a scale between reading and writing."""
    expired_pages: int = 0
    calls: list[str] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        apps = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        jobs = "/apis/batch/v1/namespaces/{namespace}/jobs"
        pods = "/api/v1/namespaces/{namespace}/pods"
        return Starlette(
            routes=[
                Route(apps, self.deployment, methods=["GET"]),
                Route(f"{apps}/scale", self.scale, methods=["GET"]),
                Route(f"{apps}/scale", self.scaled, methods=["PUT"]),
                Route(pods, self.list_pods, methods=["GET"]),
                Route(f"{pods}/{{name}}", self.patched, methods=["PATCH"]),
                Route(jobs, self.list_jobs, methods=["GET"]),
                Route(jobs, self.created, methods=["POST"]),
                Route(f"{jobs}/{{name}}", self.deleted, methods=["DELETE"]),
            ]
        )

    # What is there.

    def add_deployment(self, name: str, labels: dict[str, str]) -> None:
        self.deployments[name] = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": NAMESPACE, "resourceVersion": self.next()},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
            },
        }

    def add_pod(self, name: str, labels: dict[str, str], owner: str = "") -> None:
        self.pods[name] = {
            "metadata": {
                "name": name, "namespace": NAMESPACE, "labels": labels, "annotations": {},
                "resourceVersion": self.next(), "uid": owner,
            },
            "spec": {"containers": []},
            "status": {"phase": "Pending", "startTime": now()},
        }  # fmt: skip

    def next(self) -> str:
        self.version += 1
        return str(self.version)

    def reconcile(self) -> None:
        """As the controller: pods are made and taken away, those of the least cost first."""
        for name, deployment in self.deployments.items():
            wanted = deployment["spec"]["replicas"]
            own = {n: pod for n, pod in self.pods.items() if pod["metadata"]["uid"] == name}
            labels = deployment["spec"]["selector"]["matchLabels"]
            for _ in range(wanted - len(own)):
                self.add_pod(f"{name}-{os.urandom(4).hex()}", labels, name)
            for going in sorted(own, key=lambda n: self.rank(own[n]))[: max(0, len(own) - wanted)]:
                del self.pods[going]
        for pod in self.pods.values():
            pod["status"]["phase"] = "Running"

    @staticmethod
    def rank(pod: Json) -> tuple[bool, int]:
        cost = int(pod["metadata"]["annotations"].get(COST, "0"))
        return pod["status"]["phase"] == "Running", cost

    # The API.

    def refusal(self, request: Request) -> Response | None:
        self.calls.append(f"{request.method} {request.url.path}")
        for one in self.next_refusals:
            method, code, headers = one
            if method == request.method:
                self.next_refusals.remove(one)
                return status(code, "Refused", "the server says no", headers)
        if request.path_params["namespace"] != NAMESPACE:
            return status(403, "Forbidden", "not in this namespace")
        return None

    async def deployment(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        found = self.deployments.get(request.path_params["name"])
        return JSONResponse(found) if found else status(404, "NotFound", "no such deployment")

    async def scale(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        found = self.deployments.get(request.path_params["name"])
        return JSONResponse(self.scale_of(found)) if found else status(404, "NotFound", "none")

    @staticmethod
    def scale_of(deployment: Json) -> Json:
        return {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {
                key: deployment["metadata"][key] for key in ("name", "namespace", "resourceVersion")
            },
            "spec": {"replicas": deployment["spec"]["replicas"]},
        }

    async def scaled(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        body = await request.json()
        if faults := faults_of(body, "V1Scale"):
            return status(422, "Invalid", "; ".join(faults))
        deployment = self.deployments[request.path_params["name"]]
        if self.changed_between:
            self.changed_between -= 1
            deployment["metadata"]["resourceVersion"] = self.next()
        if body["metadata"].get("resourceVersion") != deployment["metadata"]["resourceVersion"]:
            return status(409, "Conflict", "the object has been modified")
        deployment["spec"]["replicas"] = body["spec"]["replicas"]
        deployment["metadata"]["resourceVersion"] = self.next()
        self.reconcile()
        return JSONResponse(self.scale_of(deployment))

    async def list_pods(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        place = int(request.query_params.get("continue", "0") or 0)
        if place and self.expired_pages:
            self.expired_pages -= 1
            return status(410, "Expired", "the provided continue parameter is too old")
        found = [p for p in self.pods.values() if matches(p, request)]
        page = found[place : place + PAGE]
        more = str(place + PAGE) if place + PAGE < len(found) else ""
        meta = {"resourceVersion": str(self.version), "continue": more}
        answer = JSONResponse(
            {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": page}
        )
        self.reconcile()
        return answer

    async def patched(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        kind = request.headers["content-type"].partition(";")[0]
        if kind not in PATCHES:
            return status(415, "UnsupportedMediaType", kind)
        pod = self.pods.get(request.path_params["name"])
        if pod is None:
            return status(404, "NotFound", "no such pod")
        body = await request.json()
        if faults := faults_of(body, "V1Pod"):
            return status(422, "Invalid", "; ".join(faults))
        pod["metadata"]["annotations"].update(body["metadata"]["annotations"])
        return JSONResponse(pod)

    async def list_jobs(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        items = [job for job in self.jobs.values() if matches(job, request)]
        answer = JSONResponse(
            {"kind": "JobList", "apiVersion": "batch/v1", "metadata": {}, "items": items}
        )
        for job in self.jobs.values():
            job["status"] = {"active": 1, "ready": 1, "startTime": now()}
        return answer

    async def created(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        body = await request.json()
        faults = faults_of(body, "V1Job")
        # The models know which fields may not be missing, when they are made.
        client.ApiClient()._ApiClient__deserialize(body, "V1Job")  # type: ignore[attr-defined]
        name = body["metadata"]["name"]
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
            faults.append("metadata.name is no DNS label")
        if body["spec"]["template"]["spec"].get("restartPolicy") not in ("Never", "OnFailure"):
            faults.append("restartPolicy must be Never or OnFailure")
        if faults:
            return status(422, "Invalid", "; ".join(faults))
        if "no-such" in body["spec"]["template"]["spec"]["containers"][0]["image"]:
            return status(403, "Forbidden", "image is not allowed by policy")
        if name in self.jobs:
            return status(409, "AlreadyExists", "there is one")
        body["status"] = {}
        body["metadata"] |= {"namespace": NAMESPACE, "resourceVersion": self.next()}
        self.jobs[name] = body
        return JSONResponse(body, 201)

    async def deleted(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        raw = await request.body()
        options = {**(json.loads(raw) if raw else {}), **request.query_params}
        if options.get("propagationPolicy") != "Background":
            return status(400, "BadRequest", "its pods would be left behind")
        if self.jobs.pop(request.path_params["name"], None) is None:
            return status(404, "NotFound", "no such job")
        return JSONResponse({"kind": "Status", "apiVersion": "v1", "status": "Success"})


def matches(thing: Json, request: Request) -> bool:
    labels = thing["metadata"].get("labels", {})
    wanted = dict(part.split("=", 1) for part in request.query_params["labelSelector"].split(","))
    return all(labels.get(key) == value for key, value in wanted.items())


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
