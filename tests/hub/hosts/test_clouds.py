"""What goes wrong at Fly and Kubernetes now and then: too many calls, old lists, others."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.hosts.fly import FlyHost
from hub.hosts.fly import Settings as FlySettings
from shared.errors import AppError, NotAllowed
from tests.hub.hosts.fake_kubernetes import faults_of
from tests.hub.hosts.fly_world import fly
from tests.hub.hosts.kubernetes_world import cluster


async def test_a_scale_that_somebody_changed_between_is_read_and_written_again(
    tmp_path: Path,
) -> None:
    async with cluster(tmp_path, "deployment") as (world, fake):
        fake.changed_between = 2
        host = world.open(world.pool)
        assert len(await host.start(world.pool, 3)) == 3
        assert fake.deployments["probes"]["spec"]["replicas"] == 3
        await host.close()


async def test_marked_pods_go_first(tmp_path: Path) -> None:
    async with cluster(tmp_path, "deployment") as (world, fake):
        host = world.open(world.pool)
        started = await host.start(world.pool, 6)
        await host.instances(world.pool)
        going = [started[1], started[4]]
        await host.stop(world.pool, going)
        assert {i.name for i in await host.instances(world.pool)} == set(started) - set(going)
        assert fake.deployments["probes"]["spec"]["replicas"] == 4
        await host.close()


async def test_a_list_that_grew_too_old_is_read_anew(tmp_path: Path) -> None:
    async with cluster(tmp_path, "deployment") as (world, fake):
        host = world.open(world.pool)
        await host.start(world.pool, 5)
        fake.expired_pages = 2
        assert len(await host.instances(world.pool)) == 5
        assert fake.expired_pages == 0
        await host.close()


async def test_too_many_calls_are_tried_again_and_told_when_that_does_not_help(
    tmp_path: Path,
) -> None:
    async with cluster(tmp_path, "jobs") as (world, fake):
        host = world.open(world.pool)
        fake.next_refusals = [("POST", 429, {"Retry-After": "0"})] * 2
        assert len(await host.start(world.pool, 1)) == 1
        fake.next_refusals = [("POST", 429, {"Retry-After": "0"})] * 5
        with pytest.raises(AppError) as raised:
            await host.start(world.pool, 1)
        assert (raised.value.code, raised.value.retryable) == ("host_refused", True)
        assert len(fake.jobs) == 1
        await host.close()


async def test_a_node_in_a_job_has_no_rights_and_its_secrets_by_reference(tmp_path: Path) -> None:
    async with cluster(tmp_path, "jobs") as (world, fake):
        host = world.open(world.pool)
        (name,) = await host.start(world.pool, 1)
        spec = fake.jobs[name]["spec"]
        pod = spec["template"]["spec"]
        container = pod["containers"][0]
        assert container["envFrom"] == [{"secretRef": {"name": "fleet"}}]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert pod["automountServiceAccountToken"] is False
        assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
        await host.close()


def test_the_fake_cluster_refuses_what_the_client_s_models_do_not_know() -> None:
    assert faults_of({"spec": {"replica": 1}}, "V1Scale") == ["body.spec.replica is unknown"]
    assert faults_of({"spec": {"replicas": "1"}}, "V1Scale") == ["body.spec.replicas is no int"]
    job = {"spec": {"template": {"spec": {"containers": [{"imagee": "x"}]}}}}
    assert faults_of(job, "V1Job") == ["body.spec.template.spec.containers[0].imagee is unknown"]


async def test_fly_that_has_had_enough_is_told_with_when_to_come_again(tmp_path: Path) -> None:
    async with fly(tmp_path) as (world, fake):
        host = world.open(world.pool)
        fake.next_refusals = [(429, {"Retry-After": "7"})]
        with pytest.raises(AppError) as raised:
            await host.start(world.pool, 1)
        assert raised.value.code == "host_refused"
        assert (raised.value.retryable, raised.value.retry_after_seconds) == (True, 7.0)
        assert fake.machines == {}
        await host.close()


async def test_a_machine_is_stopped_waited_for_and_only_then_destroyed(tmp_path: Path) -> None:
    async with fly(tmp_path) as (world, fake):
        host = world.open(world.pool)
        (name,) = await host.start(world.pool, 1)
        (machine,) = fake.machines.values()
        machine.config.auto_destroy = False
        fake.calls.clear()
        await host.stop(world.pool, [name])
        kinds = [call.replace(machine.id, "ID") for call in fake.calls]
        assert kinds == ["GET machines", "POST stop", "GET wait", "DELETE ID"]
        await host.close()


async def test_without_a_token_fly_is_not_even_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fly(tmp_path) as (world, fake):
        monkeypatch.setenv("FLY_TEST_TOKEN", "")
        host = FlyHost(FlySettings.model_validate(world.pool.settings))
        with pytest.raises(NotAllowed) as raised:
            await host.instances(world.pool)
        assert raised.value.code == "host_token_missing"
        assert fake.calls == []
