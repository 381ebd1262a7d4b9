"""How hubs are reached from this machine, where its owner has to say so, and what can fail."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, field_validator

from shared.errors import ErrorBody

NEVER = "none"
SCHEMES = ("http", "https", "socks5", "socks5h")
CA_HINT = (
    "If your network or hub has its own certificate authority, name its file in the policy: "
    "ca_file under [network]. Else do not go on: somebody may stand in between."
)


class NetworkRules(BaseModel):
    """The table `[network]` of the policy file. Without it the system's settings count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    proxy: str = ""
    """"http://proxy.example.org:3128", "socks5h://name:password@host:1080"; "none" for never;
    empty for what HTTPS_PROXY, ALL_PROXY or the system say."""
    ca_file: str = ""
    """Certificates (PEM) that are trusted besides the system's, "~" allowed."""

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, proxy: str) -> str:
        if proxy not in ("", NEVER) and not is_proxy(proxy):
            raise ValueError('write a proxy as "http://host:port" or "socks5h://host:port"')
        return proxy


def is_proxy(text: str) -> bool:
    """Say whether a text is the address of a proxy that can be used."""
    try:
        parts = urlsplit(text)
        return parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def shown(proxy: str) -> str:
    """Name a proxy without the password that its address may hold."""
    try:
        parts = urlsplit(proxy)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname or "?")
    except ValueError:
        return "?"


def proxy_unreachable(proxy: str, reason: str) -> ErrorBody:
    return ErrorBody(
        code="proxy_unreachable",
        message=f"The proxy {shown(proxy)} cannot be reached ({reason}).",
        hint="Check HTTPS_PROXY, or proxy under [network] in the policy. It is tried again by "
        "itself.",
        retryable=True,
    )


def proxy_refused(proxy: str, host: str, http_status: int | None) -> ErrorBody:
    """Say that a proxy does not let this machine through; None for a status it did not tell."""
    if http_status == 407:
        return ErrorBody(
            code="proxy_login",
            message=f"The proxy {shown(proxy)} wants a name and a password, or others than these.",
            hint="Write them into its address, as in http://name:password@host:port.",
            retryable=True,
        )
    told = f"HTTP {http_status}" if http_status else "it says no"
    return ErrorBody(
        code="proxy_refused",
        message=f"The proxy {shown(proxy)} does not let this machine through to {host} ({told}).",
        hint='Ask whoever runs it, or go without it: proxy = "none" under [network] in the '
        "policy. It is tried again by itself.",
        retryable=True,
    )


def proxy_invalid(proxy: str) -> ErrorBody:
    return ErrorBody(
        code="proxy_invalid",
        message=f"The proxy {shown(proxy)} is not written in a way that can be used.",
        hint="Write it as http://host:port or socks5h://host:port, in HTTPS_PROXY or in the "
        "policy under [network].",
        retryable=True,
    )


def proxy_unsupported(proxy: str, package: str) -> ErrorBody:
    return ErrorBody(
        code="proxy_unsupported",
        message=f"{shown(proxy)} is a SOCKS proxy; this installation lacks the package {package}.",
        hint=f"Add it (pip install {package}), or use an HTTP proxy.",
        retryable=True,
    )


def untrusted(host: str, verify_code: int, reason: str) -> ErrorBody:
    """Say why a hub's certificate does not count.

    Args:
        host: of the hub.
        verify_code: OpenSSL's (openssl-verification-options(1)).
        reason: OpenSSL's words.
    """
    match verify_code:
        case 62 | 64:
            return ErrorBody(
                code="hub_wrong_name",
                message=f"What answers at {host} has a certificate for another name.",
                hint="Check the hub's address; a hotel's or office's login page may stand in "
                "between.",
                retryable=True,
            )
        case 9 | 10:
            return ErrorBody(
                code="hub_certificate_ended",
                message=f"The certificate of {host} does not count today ({reason}).",
                hint="Check this machine's clock; else whoever runs the hub has to renew it.",
                retryable=True,
            )
        case _:
            return ErrorBody(
                code="hub_untrusted",
                message=f"The certificate of {host} is not trusted ({reason}).",
                hint=CA_HINT,
                retryable=True,
            )
