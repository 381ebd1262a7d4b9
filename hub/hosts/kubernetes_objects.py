"""What a pool in Kubernetes needs, and objects as the fleet makes and reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from hub.core.pool import Instance, InstanceState, Pool
from hub.hosts.nodes import LABEL, LABEL_POOL, NodeSettings, told

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, V1Deployment, V1Job, V1Pod

NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
KEPT_SECONDS = 600
"""A job that has ended is kept for so long, for its log."""
ALIVE = {"Pending": InstanceState.STARTING, "Running": InstanceState.RUNNING}
USER = 10001


class Settings(NodeSettings):
    """What a pool of pods needs."""

    mode: Literal["deployment", "jobs"]
    namespace: str = Field(default="default", max_length=63, pattern=NAME)
    deployment: str = Field(default="", max_length=200)
    """With mode "deployment": whose replicas are counted up and down."""
    image: str = Field(default="", max_length=500)
    """With mode "jobs": what runs."""
    secret: str = Field(default="", max_length=200)
    """With mode "jobs": the Secret with DESKHAND_FLEET_KEY and DESKHAND_FLEET_BROKER."""
    memory: str = Field(default="1Gi", pattern=r"^[0-9.]+[KMGT]i?$")
    cpu: str = Field(default="1", pattern=r"^[0-9.]+m?$")
    service_account: str = ""
    kubeconfig: str = ""
    """A file that says where the cluster is; the usual one, or the pod's own, when empty."""
    context: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        wanted = ("deployment",) if self.mode == "deployment" else ("image", "secret")
        for name in wanted:
            if not getattr(self, name):
                raise ValueError(f"{name} is needed with mode {self.mode}")
        return self


def connected(kubeconfig: str, context: str) -> ApiClient:
    """Make a client: of a file, of the usual one, or of the pod that this runs in."""
    from kubernetes import client, config

    configuration = client.Configuration()
    if kubeconfig or context:
        config.load_kube_config(kubeconfig or None, context or None, configuration)  # type: ignore[no-untyped-call]
    else:
        config.load_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    # Tries again are decided here, not by the transport below.
    configuration.retries = 0
    return client.ApiClient(configuration)


def selector(fleet: str, pool: Pool) -> str:
    """Choose a pool's jobs by their labels."""
    return f"{LABEL}={fleet},{LABEL_POOL}={pool.name}"


def name_of(one: V1Pod | V1Job) -> str:
    assert one.metadata is not None
    return str(one.metadata.name)


def is_going(one: V1Pod | V1Job) -> bool:
    """Whether somebody has told it to end."""
    return one.metadata is not None and one.metadata.deletion_timestamp is not None


def selector_of(deployment: V1Deployment) -> str:
    """Choose a Deployment's pods as it does itself."""
    assert deployment.spec is not None
    labels = deployment.spec.selector.match_labels or {}
    parts = [f"{key}={value}" for key, value in sorted(labels.items())]
    for one in deployment.spec.selector.match_expressions or ():
        values = f" ({','.join(one.values)})" if one.values else ""
        word = {"In": " in", "NotIn": " notin", "Exists": "", "DoesNotExist": ""}[one.operator]
        parts.append(f"{'!' * (one.operator == 'DoesNotExist')}{one.key}{word}{values}")
    return ",".join(parts)


def is_alive(pod: V1Pod) -> bool:
    return pod.status is not None and pod.status.phase in ALIVE


def instance_of_pod(pod: V1Pod, pool: Pool) -> Instance | None:
    if pod.status is None or pod.status.phase not in ALIVE:
        return None
    state = InstanceState.STOPPING if is_going(pod) else ALIVE[pod.status.phase]
    return Instance(
        name=name_of(pod), pool=pool.name, state=state, started_at=pod.status.start_time
    )


def instance_of_job(job: V1Job, pool: Pool) -> Instance | None:
    """A job as an instance; None when it has ended."""
    for condition in (job.status.conditions if job.status else None) or ():
        if condition.type in ("Complete", "Failed") and condition.status == "True":
            return None
    state = InstanceState.STARTING
    if is_going(job):
        state = InstanceState.STOPPING
    elif job.status is not None and job.status.ready:
        state = InstanceState.RUNNING
    started = job.status.start_time if job.status is not None else None
    return Instance(name=name_of(job), pool=pool.name, state=state, started_at=started)


def job(name: str, pool: Pool, settings: Settings) -> V1Job:
    """Make the job of one node: it runs once, and is never started again by the cluster."""
    from kubernetes import client

    labels = {LABEL: settings.fleet, LABEL_POOL: pool.name}
    amounts = {"memory": settings.memory, "cpu": settings.cpu}
    variables = told(pool, settings, name)
    container = client.V1Container(
        name="node",
        image=settings.image,
        env=[client.V1EnvVar(name=key, value=value) for key, value in variables.items()],
        env_from=[
            client.V1EnvFromSource(secret_ref=client.V1SecretEnvSource(name=settings.secret))
        ],
        resources=client.V1ResourceRequirements(limits=amounts, requests=amounts),
        security_context=client.V1SecurityContext(
            allow_privilege_escalation=False,
            capabilities=client.V1Capabilities(drop=["ALL"]),
            read_only_root_filesystem=True,
        ),
        volume_mounts=[client.V1VolumeMount(name="tmp", mount_path="/tmp")],  # noqa: S108
    )
    pod = client.V1PodSpec(
        containers=[container],
        restart_policy="Never",
        termination_grace_period_seconds=settings.stop_seconds,
        automount_service_account_token=False,
        service_account_name=settings.service_account or None,
        security_context=client.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=USER,
            seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
        ),
        volumes=[client.V1Volume(name="tmp", empty_dir=client.V1EmptyDirVolumeSource())],
    )
    return client.V1Job(
        api_version="batch/v1",
        kind="Job",
        metadata=client.V1ObjectMeta(name=name, labels=labels),
        spec=client.V1JobSpec(
            backoff_limit=0,
            ttl_seconds_after_finished=KEPT_SECONDS,
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels), spec=pod
            ),
        ),
    )


def words(error: Exception) -> str:
    """Find the server's own words in its refusal."""
    try:
        told_words = json.loads(getattr(error, "body", "") or "{}").get("message", "")
    except (ValueError, AttributeError):
        told_words = ""
    return str(told_words or getattr(error, "reason", "") or error)[:300].rstrip(".")
