"""Nodes as pods of Kubernetes: those of one Deployment, or one Job for each node.

The official client blocks, so each call runs in a thread. What can pass by itself (409: somebody
else changed it, 410: a list grew too old, 429: too many calls) is tried again here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from hub.core.pool import Instance, Pool
from hub.hosts import kubernetes_objects as objects
from hub.hosts.kubernetes_objects import Settings
from hub.hosts.nodes import instance_name, missing, refused, unreachable

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, AppsV1Api, BatchV1Api, CoreV1Api, V1Pod

CALL_SECONDS = 15
TRIES_MAX = 5
AGAIN_SECONDS = 0.2
RETRY_AFTER_SECONDS_MAX = 10.0
PAGE = 200
GONE, CONFLICT, EXPIRED, TOO_MANY = 404, 409, 410, 429
NEW_PODS_SECONDS = 5.0
"""For so long the pods of new replicas are waited for, to tell their names."""
COST_GOING = "-1000"
"""Pods with a lower cost go first (kubernetes.io/docs: pod-deletion-cost)."""
T = TypeVar("T")
__all__ = ["KubernetesHost", "Settings"]


class KubernetesHost:
    """Runs nodes in a cluster."""

    name = "kubernetes"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: ApiClient | None = None

    async def instances(self, pool: Pool) -> tuple[Instance, ...]:
        if self._is_deployment:
            pods = await self._asked(self._pods, "list pods")
            found = [objects.instance_of_pod(pod, pool) for pod in pods]
        else:
            found = await self._asked(lambda: self._jobs(pool), "list jobs")
        return tuple(instance for instance in found if instance is not None)

    async def start(self, pool: Pool, count: int) -> tuple[str, ...]:
        if self._is_deployment:
            return await self._asked(lambda: self._more_replicas(count), "add replicas")
        return tuple(
            [await self._asked(lambda: self._job(pool), "make a job") for _ in range(count)]
        )

    async def stop(self, pool: Pool, names: Sequence[str]) -> None:
        if self._is_deployment:
            await self._asked(lambda: self._fewer_replicas(set(names)), "remove replicas")
        else:
            await self._asked(lambda: self._delete_jobs(pool, set(names)), "delete jobs")

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)

    @property
    def _is_deployment(self) -> bool:
        return self._settings.mode == "deployment"

    # A Deployment, in a thread.

    def _pods(self) -> list[V1Pod]:
        """The Deployment's pods that have not ended."""
        settings = self._settings
        deployment = self._again(
            lambda: self._apps.read_namespaced_deployment(
                settings.deployment, settings.namespace, _request_timeout=CALL_SECONDS
            )
        )
        selector = objects.selector_of(deployment)
        pods: list[V1Pod] = self._again(lambda: self._listed(selector))
        return [pod for pod in pods if objects.is_alive(pod)]

    def _listed(self, selector: str) -> list[V1Pod]:
        """All pages; a list that grew too old on the way (410) is read from its start."""
        pods: list[V1Pod] = []
        place = None
        while True:
            page = self._core.list_namespaced_pod(
                self._settings.namespace,
                label_selector=selector,
                limit=PAGE,
                _continue=place,
                _request_timeout=CALL_SECONDS,
            )
            pods += page.items
            place = page.metadata._continue if page.metadata else None  # noqa: SLF001
            if not place:
                return pods

    def _more_replicas(self, count: int) -> tuple[str, ...]:
        before = {objects.name_of(pod) for pod in self._pods()}
        self._again(lambda: self._scaled(count))
        until = time.monotonic() + NEW_PODS_SECONDS
        while True:
            new = sorted({objects.name_of(pod) for pod in self._pods()} - before)
            if len(new) >= count or time.monotonic() > until:
                return tuple(new)
            time.sleep(AGAIN_SECONDS)

    def _fewer_replicas(self, names: set[str]) -> None:
        """Mark those that are to go, then count down; the marked ones go first."""
        there = [objects.name_of(pod) for pod in self._pods() if not objects.is_going(pod)]
        marked = [name for name in there if name in names and self._is_marked_to_go(name)]
        if marked:
            self._again(lambda: self._scaled(-len(marked)))

    def _is_marked_to_go(self, name: str) -> bool:
        """Mark a pod; False when it is gone by itself."""
        from kubernetes.client.exceptions import ApiException

        body = {"metadata": {"annotations": {objects.DELETION_COST: COST_GOING}}}
        try:
            self._again(
                lambda: self._core.patch_namespaced_pod(
                    name, self._settings.namespace, body, _request_timeout=CALL_SECONDS
                )
            )
        except ApiException as error:
            if error.status == GONE:
                return False
            raise
        return True

    def _scaled(self, change: int) -> None:
        """Read how many there are to be, and write it changed; 409 when it was changed between."""
        settings = self._settings
        scale = self._apps.read_namespaced_deployment_scale(
            settings.deployment, settings.namespace, _request_timeout=CALL_SECONDS
        )
        assert scale.spec is not None
        scale.spec.replicas = max(0, (scale.spec.replicas or 0) + change)
        self._apps.replace_namespaced_deployment_scale(
            settings.deployment, settings.namespace, scale, _request_timeout=CALL_SECONDS
        )

    # Jobs, in a thread.

    def _jobs(self, pool: Pool) -> list[Instance | None]:
        listed = self._again(
            lambda: self._batch.list_namespaced_job(
                self._settings.namespace,
                label_selector=objects.selector(self._settings.fleet, pool),
                _request_timeout=CALL_SECONDS,
            )
        )
        return [objects.instance_of_job(job, pool) for job in listed.items]

    def _job(self, pool: Pool) -> str:
        name = instance_name(self._settings.fleet, pool)
        body = objects.job(name, pool, self._settings)
        self._again(
            lambda: self._batch.create_namespaced_job(
                self._settings.namespace, body, _request_timeout=CALL_SECONDS
            )
        )
        return name

    def _delete_jobs(self, pool: Pool, names: set[str]) -> None:
        from kubernetes.client.exceptions import ApiException

        for instance in self._jobs(pool):
            if instance is None or instance.name not in names:
                continue
            try:
                self._again(lambda name=instance.name: self._delete(name))  # type: ignore[misc]
            except ApiException as error:
                if error.status != GONE:
                    raise

    def _delete(self, name: str) -> None:
        # In the background: pods get their signal, and the time of their grace period.
        self._batch.delete_namespaced_job(
            name,
            self._settings.namespace,
            propagation_policy="Background",
            _request_timeout=CALL_SECONDS,
        )

    # Calls.

    def _again(self, call: Callable[[], T]) -> T:
        """Call, and once more when that may help."""
        from kubernetes.client.exceptions import ApiException

        for tried in range(1, TRIES_MAX + 1):
            try:
                return call()
            except ApiException as error:
                if error.status not in (CONFLICT, EXPIRED, TOO_MANY) or tried == TRIES_MAX:
                    raise
                time.sleep(_wait_seconds(error))
        raise AssertionError

    async def _asked(self, call: Callable[[], T], what: str) -> T:
        """Call in a thread, with errors of our own.

        Raises:
            AppError: `host_unreachable`, `host_refused`, `host_missing`.
        """
        return await asyncio.to_thread(self._called, call, what)

    def _called(self, call: Callable[[], T], what: str) -> T:
        try:
            from kubernetes.client.exceptions import ApiException
            from kubernetes.config import ConfigException
            from urllib3.exceptions import HTTPError
        except ImportError:
            raise missing(self.name, "kubernetes") from None
        try:
            return call()
        except ApiException as error:
            may_pass = error.status in (CONFLICT, EXPIRED, TOO_MANY) or (error.status or 0) >= 500
            raise refused(self.name, what, objects.words(error), retryable=may_pass) from None
        except ConfigException as error:
            raise refused(self.name, "find the cluster", str(error)[:300]) from None
        except (HTTPError, OSError) as error:
            raise unreachable(self.name, self._where, type(error).__name__) from None

    @property
    def _where(self) -> str:
        return self._client.configuration.host if self._client is not None else "its address"

    @property
    def _connection(self) -> ApiClient:
        if self._client is None:
            self._client = objects.connected(self._settings.kubeconfig, self._settings.context)
        return self._client

    @property
    def _apps(self) -> AppsV1Api:
        from kubernetes.client import AppsV1Api

        return AppsV1Api(self._connection)

    @property
    def _core(self) -> CoreV1Api:
        from kubernetes.client import CoreV1Api

        return CoreV1Api(self._connection)

    @property
    def _batch(self) -> BatchV1Api:
        from kubernetes.client import BatchV1Api

        return BatchV1Api(self._connection)


def _wait_seconds(error: Exception) -> float:
    """As long as the server asks for, within bounds."""
    headers = getattr(error, "headers", None) or {}
    told = str(headers.get("Retry-After", ""))
    return min(float(told), RETRY_AFTER_SECONDS_MAX) if told.isdigit() else AGAIN_SECONDS
