"""How the frontend is doing, for whoever looks: since when, why, and what helps."""

from __future__ import annotations

from hub.ports import Health, HealthState
from shared.environment import Environment
from shared.errors import AppError


class Condition:
    """One Health at a time; trouble of one kind keeps the moment it began."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.health = Health(state=HealthState.STOPPED, since=environment.now())

    def be(self, state: HealthState, error: str = "", hint: str = "") -> bool:
        """Change the state; whether it is a change."""
        before = self.health
        since = before.since if before.state is state else self._environment.now()
        self.health = Health(state=state, since=since, error=error, hint=hint)
        return before.state is not state

    def be_troubled(self, error: AppError) -> None:
        self.be(HealthState.TROUBLED, error.message, error.hint)

    @property
    def is_well(self) -> bool:
        return self.health.state is HealthState.OK
