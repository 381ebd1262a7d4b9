"""Which path of the hub's address leads where; what is heavy is made when it is first wanted."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from hub.engines.sockets import Receive, Scopes, Send, SocketEngine
from hub.frontends.console import ConsoleFrontend
from hub.frontends.host import Host
from hub.frontends.metrics.sources import Watch
from hub.frontends.sse import Streams
from hub.frontends.webchat import WebFrontend
from hub.ports import FleetCalls
from hub.server import App
from hub.services import Services
from hub.services.backups import Backups
from hub.services.snapshots import Snapshots
from hub.settings import Settings
from shared.environment import Environment
from shared.histogram import Histogram

if TYPE_CHECKING:
    from hub.frontends.api.parts import About

WORKER_PATH = "/api/v1/worker"
CHAT_PATH = "/api/v1/chat/ws"
METRICS_PATH = "/metrics"


def program_version() -> str:
    """Tell the version of Deskhand; "0" where it was not installed."""
    try:
        return version("deskhand")
    except PackageNotFoundError:
        return "0"


def routed(
    engine: SocketEngine,
    console: ConsoleFrontend,
    host: Host,
    api: App,
    install: App,
    metrics: App,
    web: App,
) -> App:
    """Two bare sockets, installers, figures, what frontends serve, the REST API, the dashboard."""

    async def route(scope: Scopes, receive: Receive, send: Send) -> None:
        match scope["path"]:
            case path if path == WORKER_PATH:
                await engine(scope, receive, send)
            case path if path == CHAT_PATH and scope["type"] == "websocket":
                await console(scope, receive, send)
            case "/worker.sh" | "/worker.ps1" | "/download" if scope["type"] == "http":
                await install(scope, receive, send)
            case path if path.startswith("/download/") and scope["type"] == "http":
                await install(scope, receive, send)
            case path if path == METRICS_PATH and scope["type"] == "http":
                await metrics(scope, receive, send)
            case path if not path.startswith("/api/") and (app := host.app_at(path)) is not None:
                await app(scope, receive, send)
            case path if path.startswith("/api/") or scope["type"] != "http":
                await api(scope, receive, send)
            case _:
                await web(scope, receive, send)

    return route


def made_api(services: Services, snapshots: Snapshots, about: About) -> App:
    from hub.frontends.api import make_api

    api: App = make_api(services, snapshots, about)
    return api


def made_install(settings: Settings) -> App:
    from hub.frontends.install.address import Address
    from hub.frontends.install.site import InstallSite

    site: App = InstallSite(
        address=Address(public_url=settings.public_url, local_url=settings.local_url),
        hub_name=settings.hub_name,
        folder=settings.downloads,
        cache=settings.data / "downloads-cache",
    )
    return site


def made_metrics(
    services: Services,
    engine: SocketEngine,
    host: Host,
    watch: Watch,
    fleet: FleetCalls,
    *,
    environment: Environment,
    commit_seconds: Histogram,
    version: str,
) -> App:
    from hub.frontends.metrics.fleet import FleetSight
    from hub.frontends.metrics.site import MetricsSite
    from hub.frontends.metrics.sources import Sources

    recorder = services.recorder
    sources = Sources(
        environment=environment,
        version=version,
        watch=watch,
        depths=services.gauge.depths,
        position=services.feed.position,
        engines=lambda: services.dispatcher.engines,
        lines=engine.counts,
        lags=engine.lags,
        late_results=lambda: recorder.late_results,
        refused=lambda: recorder.refused,
        trouble=lambda: recorder.trouble,
        wait_seconds=services.gauge.wait_seconds,
        commit_seconds=commit_seconds,
        frontends=host.statuses,
        fleet=FleetSight(fleet, environment).seen,
    )
    site: App = MetricsSite(services.keys, sources)
    return site


def made_web(
    settings: Settings,
    services: Services,
    environment: Environment,
    streams: Streams,
    chat: WebFrontend,
    host: Host,
    backups: Backups,
    fleet: FleetCalls,
) -> App:
    from hub.frontends.web import make_web
    from hub.frontends.web.visitor import Setting

    setting = Setting(
        services=services,
        environment=environment,
        streams=streams,
        chat=chat,
        frontends=host.statuses,
        backups=backups,
        fleet=fleet.look,
        hub_name=settings.hub_name,
        hub_url=settings.hub_url,
        version=program_version(),
    )
    web: App = make_web(setting)
    return web
