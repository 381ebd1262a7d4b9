"""The way to a hub: through which proxy, trusting whom. All requests and the line go by it."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from desktop.core import network_rules
from desktop.core.link import reason_of, unreachable
from desktop.core.network_rules import NEVER, NetworkRules
from shared.errors import AppError, ErrorBody, Unavailable
from shared.loopback import is_loopback

CAUSES_MAX = 10
NO_RULES = NetworkRules()


class Way:
    """How hubs are reached by the owner's rules, or as the system says."""

    def __init__(self, rules: NetworkRules = NO_RULES) -> None:
        self._rules = rules

    def proxy_for(self, base: str) -> str | None:
        """Return the proxy on the way to a hub; None for none.

        No proxy may see what is meant for this machine itself. The rules go before the
        environment, which urllib reads with what macOS and Windows have set.
        """
        parts = urlsplit(base)
        host = parts.hostname or ""
        if is_loopback(host) or self._rules.proxy == NEVER:
            return None
        if self._rules.proxy:
            return self._rules.proxy
        if urllib.request.proxy_bypass(parts.netloc):
            return None
        found = urllib.request.getproxies()
        told = found.get(parts.scheme) or found.get("all") or _as_socks(found.get("socks"))
        if not told:
            return None
        return told if "://" in told else f"http://{told}"

    def trust(self) -> ssl.SSLContext:
        """Trust the system's certificates, and those of the owner's file. Reads files.

        Raises:
            Unavailable: `ca_file_unusable`.
        """
        context = ssl.create_default_context()
        _add_bundled(context)
        if not self._rules.ca_file:
            return context
        try:
            context.load_verify_locations(Path(self._rules.ca_file).expanduser())
        except OSError as error:  # ssl.SSLError is one
            why = error.strerror or "it is no PEM file"
            raise Unavailable(
                "ca_file_unusable",
                f"The file of certificates {self._rules.ca_file} cannot be used ({why}).",
                "Mend ca_file under [network] in the policy.",
                retryable=True,
            ) from error
        return context

    def why(self, error: BaseException, base: str) -> ErrorBody | None:
        """Say in the person's words why a hub was not reached; None for what is not of the way."""
        host, proxy = urlsplit(base).netloc, self.proxy_for(base)
        for one in causes(error):
            if isinstance(one, AppError):
                return one.body
            if isinstance(one, ssl.SSLCertVerificationError):
                return network_rules.untrusted(host, one.verify_code, one.verify_message)
            if proxy is not None and (found := _of_proxy(one, proxy, host)):
                return found
        first = next((one for one in causes(error) if isinstance(one, OSError)), None)
        if first is None:
            return None
        if proxy is not None:
            return network_rules.proxy_unreachable(proxy, reason_of(first))
        return unreachable(host, reason_of(first))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Tell an error and what it came from, the outermost first."""
    one: BaseException | None = error
    for _ in range(CAUSES_MAX):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__


def _of_proxy(error: BaseException, proxy: str, host: str) -> ErrorBody | None:
    """Know a proxy's no by the names of the libraries' errors: not all are installed everywhere."""
    match type(error).__name__:
        case "InvalidProxyStatus":  # websockets; its sentence ends with the status
            return network_rules.proxy_refused(proxy, host, _status_in(str(error)))
        case "InvalidProxy":
            return network_rules.proxy_invalid(proxy)
        case "ProxyError":  # websockets, httpx and python-socks
            return network_rules.proxy_refused(proxy, host, _status_in(str(error)))
        case "ProxyConnectionError":
            return network_rules.proxy_unreachable(proxy, "nothing answers at that port")
        case "ImportError" | "ModuleNotFoundError":
            package = "socksio" if "socksio" in str(error) else "python-socks"
            return network_rules.proxy_unsupported(proxy, package)
        case _:
            return None


def _status_in(words: str) -> int | None:
    numbers = [int(word) for word in words.replace(":", " ").split() if word.isdecimal()]
    return next((number for number in numbers if 300 <= number < 600), None)


def _as_socks(told: str | None) -> str | None:
    """Windows and macOS tell a SOCKS proxy as "http://host:port"."""
    return told.replace("http://", "socks5h://", 1) if told else None


def _add_bundled(context: ssl.SSLContext) -> None:
    """Where the system's certificates are not found, as in a frozen program elsewhere: ours."""
    places = ssl.get_default_verify_paths()
    if context.cert_store_stats()["x509_ca"] or places.cafile or places.capath:
        return
    try:
        import certifi
    except ImportError:
        return
    context.load_verify_locations(certifi.where())
