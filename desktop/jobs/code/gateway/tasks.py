"""Tasks that end with what they serve, instead of being waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Protocol, TypeVar

T = TypeVar("T")


class Tasks(Protocol):
    """Where tasks are started; a group, or what ends like one."""

    def create_task(self, work: Coroutine[object, object, T], /) -> asyncio.Task[T]:
        """Start a task."""


class EndingTasks:
    """A task group that ends with what it serves, instead of waiting for it."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> EndingTasks:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *told: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    def create_task(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
