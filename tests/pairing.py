"""Computers that pair, for tests: a key, a code that is approved already, a token."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import JsonValue

from hub.services import Services
from hub.services.pairing import Asked, Introduction, Paired
from shared.api.client import Client
from shared.api.pairings import NewInvitation, NewPairing, PairedShown, TokenRequest
from shared.capabilities import Capability
from shared.ids import PersonId
from shared.pairing import SALT_BYTES, b64, from_b64, token_request

ADDRESS = "203.0.113.7"


class Computer:
    """A machine with a key of its own."""

    def __init__(
        self,
        name: str = "anna-pc",
        *,
        platform: str = "Linux",
        capabilities: tuple[Capability, ...] = (),
        key: Ed25519PrivateKey | None = None,
    ) -> None:
        self.key = key or Ed25519PrivateKey.generate()
        self.introduction = Introduction(
            public_key=self.key.public_key().public_bytes_raw(),
            name=name,
            platform=platform,
            app_version="1",
            capabilities=capabilities,
        )

    def sign(self, join_id: str, salt: bytes) -> bytes:
        return self.key.sign(token_request(join_id, salt))

    async def ask(self, services: Services, code: str | None, address: str = ADDRESS) -> Asked:
        return await services.pairing.ask(self.introduction, code, address)

    async def token(self, services: Services, asked: Asked) -> Paired:
        return await services.pairing.token(asked.join_id, self.sign(asked.join_id, asked.salt))

    async def pair(self, services: Services, person_id: PersonId) -> Paired:
        """Come with a code that nobody has to approve any more."""
        invitation = await services.pairing.invite(person_id, is_approved=True)
        return await self.token(services, await self.ask(services, invitation.code))

    @property
    def body(self) -> dict[str, JsonValue]:
        """What it says of itself over HTTP, without the code."""
        told = self.introduction
        return {
            "public_key": b64(told.public_key),
            "name": told.name,
            "platform": told.platform,
            "app_version": told.app_version,
            "capabilities": [c.model_dump(mode="json") for c in told.capabilities],
        }

    def signature(self, noted: Mapping[str, JsonValue]) -> str:
        """Sign for the token of a pairing that came back over HTTP."""
        salt = from_b64(str(noted["salt"]), SALT_BYTES)
        return b64(self.sign(str(noted["pairing_id"]), salt))


def pair_over_http(client: Client, computer: Computer) -> PairedShown:
    """Pair through the REST API alone; the client has an operator's key."""
    code = client.create_invitation(NewInvitation(is_approved=True)).code
    told = computer.introduction
    noted = client.create_pairing(
        NewPairing(
            code=code,
            public_key=b64(told.public_key),
            name=told.name,
            platform=told.platform,
            app_version=told.app_version,
            capabilities=told.capabilities,
        )
    )
    signature = b64(computer.sign(noted.pairing_id, from_b64(noted.salt, SALT_BYTES)))
    return client.create_token(noted.pairing_id, TokenRequest(signature=signature))
