"""The one table of coding agents: how each is started, configured, asked and resumed.

Whatever is special about an agent stands here as a value; no other module knows an agent's name.
Placeholders in commands, variables and files are filled in by `filled`, never by a shell:

- `{gateway}` address of the models in the box, without a path
- `{model}`   the model's name, as its endpoint knows it
- `{home}`    the box's own home folder
- `{key}`     a key that opens nothing: agents insist on having one
- `{tools}`   names of the tools that the kind of work has, with commas
- `{prompt}`  the task, for headless agents alone
- `{builtin}` as a word of its own: the command of our own agent
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath

from desktop.core.code.rules import CodeRules, CustomAgent
from shared.errors import NotFound

OWN = "{builtin}"
DUMMY_KEY = "deskhand-gateway-adds-the-key"
ASK_SECONDS_UNKNOWN = 45.0
"""What an agent that nobody has measured is trusted to wait for a tool."""


class GatewayApi(StrEnum):
    """What an agent speaks to a model."""

    TURN = "turn"
    """The gateway's own: any endpoint that the worker knows."""
    CHAT = "chat"
    RESPONSES = "responses"
    MESSAGES = "messages"
    GEMINI = "gemini"


class AskRoad(StrEnum):
    """How an agent asks its person something of its own accord."""

    ELICIT = "elicit"
    """By an ACP form; it needs no tool for it."""
    MCP = "mcp"
    """By the tool `ask_human` of a server that it is given."""
    PARK = "park"
    """Not at all: it ends its turn with the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProfile:
    """One agent."""

    name: str
    title: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Configuration by path below the box's home."""
    api: GatewayApi = GatewayApi.CHAT
    is_headless: bool = False
    """Works by itself and exits: 0 is a good end."""
    ask_road: AskRoad = AskRoad.MCP
    ask_seconds_max: float = ASK_SECONDS_UNKNOWN
    """How long it waits for the tool `ask_human`, with some to spare."""
    mode: str = ""
    """ACP session mode in a box that holds it back; empty leaves the agent's own."""
    mode_unboxed: str = ""
    """The same without such a box: one in which it asks before effects."""
    options: Mapping[str, str] = field(default_factory=dict)
    """ACP config options to set, by category or id."""
    version_args: tuple[str, ...] = ("--version",)
    packages: str = ""
    """How its owner gets it, as a hint."""

    @property
    def program(self) -> str:
        return self.command[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What placeholders stand for in one job."""

    gateway: str
    model: str
    home: str
    builtin: tuple[str, ...] = ()
    """The command of our own agent (`desktop.jobs.code.programs.own_agent`)."""
    key: str = DUMMY_KEY
    tools: tuple[str, ...] = ()
    """Those that the kind of work has, for an agent that can be given some; all when empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledProfile:
    """A profile with nothing left to fill in."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    files: Mapping[str, str]


def filled(profile: AgentProfile, places: Places, *, prompt: str = "") -> FilledProfile:
    """Fill in a profile; what is filled in is never read for placeholders again."""
    values = {
        "{gateway}": places.gateway,
        "{model}": places.model,
        "{home}": places.home,
        "{key}": places.key,
        "{tools}": ",".join(places.tools),
    }
    # Both JSON and TOML read a string of JSON as itself.
    quoted = {name: json.dumps(value)[1:-1] for name, value in values.items()}
    argv = (_fill(word, values | {"{prompt}": prompt}) for word in profile.command if word != OWN)
    return FilledProfile(
        argv=(*(places.builtin if profile.program == OWN else ()), *argv),
        env={name: _fill(value, values) for name, value in profile.env.items()},
        files={path: _fill(content, quoted) for path, content in profile.files.items()},
    )


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Replace placeholders from left to right, so that no value is looked into."""
    done, rest = "", text
    while rest:
        first = min(
            ((place, name) for name in values if (place := rest.find(name)) >= 0), default=None
        )
        if first is None:
            break
        place, name = first
        done += rest[:place] + values[name]
        rest = rest[place + len(name) :]
    return done + rest


def profiles_of(rules: CodeRules) -> tuple[AgentProfile, ...]:
    """Return the agents of a machine, its owner's first, as far as the owner allows them."""
    own = tuple(_custom(agent) for agent in rules.agents)
    names = {profile.name for profile in own}
    known = (*own, *(profile for profile in PROFILES if profile.name not in names))
    return tuple(profile for profile in known if _is_allowed(profile.name, rules.agents_allowed))


def profile_of(name: str, profiles: Iterable[AgentProfile]) -> AgentProfile:
    """Find an agent by name.

    Raises:
        NotFound: `agent_unknown`.
    """
    by_name = {profile.name: profile for profile in profiles}
    if name not in by_name:
        raise NotFound(
            "agent_unknown",
            f"There is no coding agent {name!r} on this machine.",
            f"It has {', '.join(by_name) or 'none'}; others are named in [[code.agents]].",
        )
    return by_name[name]


def _is_allowed(name: str, allowed: tuple[str, ...]) -> bool:
    return "*" in allowed or name in allowed


def _custom(agent: CustomAgent) -> AgentProfile:
    return AgentProfile(
        name=agent.name,
        title=agent.name,
        command=agent.command,
        env=agent.env,
        is_headless=agent.is_headless,
        ask_road=AskRoad.PARK if agent.is_headless else AskRoad.MCP,
        ask_seconds_max=agent.ask_seconds_max,
        api=GatewayApi.TURN,
        version_args=(),
    )


def is_below_home(path: str) -> bool:
    """Whether a configuration file's path stays in the home folder."""
    parts = PurePath(path).parts
    return bool(parts) and not PurePath(path).is_absolute() and ".." not in parts


_OPENCODE_CONFIG = """\
{
  "$schema": "https://opencode.ai/config.json",
  "autoupdate": false,
  "share": "disabled",
  "model": "deskhand/{model}",
  "small_model": "deskhand/{model}",
  "provider": {
    "deskhand": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "Deskhand",
      "options": {"baseURL": "{gateway}/v1", "apiKey": "{key}"},
      "models": {"{model}": {"name": "{model}"}}
    }
  },
  "permission": {"edit": "ask", "bash": "ask", "webfetch": "ask"}
}
"""
_OPENCODE_LOCK = '{"packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}}'
_GEMINI_SETTINGS = """\
{
  "security": {
    "auth": {"selectedType": "gemini-api-key"},
    "folderTrust": {"enabled": false}
  },
  "general": {"disableAutoUpdate": true, "enableAutoUpdate": false},
  "privacy": {"usageStatisticsEnabled": false},
  "telemetry": {"enabled": false},
  "model": {"name": "{model}"}
}
"""
_QWEN_SETTINGS = """\
{
  "security": {
    "auth": {"selectedType": "openai"},
    "folderTrust": {"enabled": false}
  },
  "general": {"disableAutoUpdate": true, "enableAutoUpdate": false},
  "privacy": {"usageStatisticsEnabled": false},
  "telemetry": {"enabled": false},
  "model": {"name": "{model}"}
}
"""
_CODEX_CONFIG = """\
model = "{model}"
model_provider = "deskhand"
check_for_update_on_startup = false

[model_providers.deskhand]
name = "Deskhand"
base_url = "{gateway}/v1"
wire_api = "responses"
env_key = "DESKHAND_MODEL_KEY"

[analytics]
enabled = false

[features]
default_mode_request_user_input = true
"""

PROFILES: tuple[AgentProfile, ...] = (
    AgentProfile(
        name="builtin",
        title="Deskhand's own agent",
        command=(OWN,),
        env={
            "DESKHAND_GATEWAY": "{gateway}",
            "DESKHAND_KEY": "{key}",
            "DESKHAND_TOOLS": "{tools}",
        },
        api=GatewayApi.TURN,
        ask_road=AskRoad.ELICIT,
        mode="work",
        mode_unboxed="ask",
        version_args=(),
    ),
    AgentProfile(
        name="claude",
        title="Claude Code",
        command=("claude-agent-acp",),
        env={
            "ANTHROPIC_API_KEY": "{key}",
            "ANTHROPIC_BASE_URL": "{gateway}",
            "ANTHROPIC_MODEL": "{model}",
            "ANTHROPIC_SMALL_FAST_MODEL": "{model}",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "{model}",
            "ANTHROPIC_DEFAULT_SONNET_MODEL": "{model}",
            "ANTHROPIC_DEFAULT_OPUS_MODEL": "{model}",
            "CLAUDE_CONFIG_DIR": "{home}/.claude",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "MCP_TOOL_TIMEOUT": "1800000",
        },
        api=GatewayApi.MESSAGES,
        ask_seconds_max=1800.0,
        version_args=("--version",),
        mode_unboxed="default",
        packages="npm install -g @agentclientprotocol/claude-agent-acp",
    ),
    AgentProfile(
        name="codex",
        title="Codex",
        command=("codex-acp",),
        env={"DESKHAND_MODEL_KEY": "{key}", "CODEX_HOME": "{home}/.codex"},
        files={".codex/config.toml": _CODEX_CONFIG},
        api=GatewayApi.RESPONSES,
        ask_seconds_max=280.0,
        # Its own sandbox does not start inside ours; without ours it shall ask us, not a model.
        mode="agent-full-access",
        mode_unboxed="workspace-write",
        packages="npm install -g @agentclientprotocol/codex-acp",
    ),
    AgentProfile(
        name="gemini",
        title="Gemini CLI",
        command=("gemini", "--acp"),
        env={"GEMINI_API_KEY": "{key}", "GOOGLE_GEMINI_BASE_URL": "{gateway}"},
        files={".gemini/settings.json": _GEMINI_SETTINGS},
        api=GatewayApi.GEMINI,
        ask_seconds_max=570.0,
        mode_unboxed="default",
        packages="npm install -g @google/gemini-cli",
    ),
    AgentProfile(
        name="opencode",
        title="OpenCode",
        command=("opencode", "acp"),
        env={
            "OPENCODE_CONFIG": "{home}/.config/opencode/opencode.json",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
        },
        files={
            ".config/opencode/opencode.json": _OPENCODE_CONFIG,
            # It fetches a package for plugins there at each start, if none seems to be there; a
            # person would be asked to let it, for nothing.
            ".config/opencode/package-lock.json": _OPENCODE_LOCK,
            ".config/opencode/node_modules/.keep": "",
        },
        ask_seconds_max=1800.0,
        packages="npm install -g opencode-ai",
    ),
    AgentProfile(
        name="qwen",
        title="Qwen Code",
        command=("qwen", "--acp", "--auth-type", "openai"),
        env={
            "OPENAI_API_KEY": "{key}",
            "OPENAI_BASE_URL": "{gateway}/v1",
            "OPENAI_MODEL": "{model}",
        },
        files={".qwen/settings.json": _QWEN_SETTINGS},
        # It hides the tools of servers behind a search of its own.
        ask_road=AskRoad.PARK,
        mode_unboxed="default",
        packages="npm install -g @qwen-code/qwen-code",
    ),
    AgentProfile(
        name="goose",
        title="goose",
        command=("goose", "acp"),
        env={
            "GOOSE_PROVIDER": "openai",
            "GOOSE_MODEL": "{model}",
            "GOOSE_MODE": "approve",
            "GOOSE_DISABLE_KEYRING": "1",
            "OPENAI_API_KEY": "{key}",
            "OPENAI_HOST": "{gateway}",
            "OPENAI_BASE_PATH": "v1/chat/completions",
        },
        packages="Install goose from goose-docs.ai.",
    ),
    AgentProfile(
        name="aider",
        title="aider",
        command=(
            *("aider", "--model", "openai/{model}", "--yes-always", "--no-check-update"),
            *("--no-analytics", "--no-show-model-warnings", "--no-auto-commits", "--no-gitignore"),
            *("--message", "{prompt}"),
        ),
        env={"OPENAI_API_KEY": "{key}", "OPENAI_API_BASE": "{gateway}/v1"},
        is_headless=True,
        ask_road=AskRoad.PARK,
        packages="pip install aider-chat",
    ),
    AgentProfile(
        name="mini",
        title="mini-swe-agent",
        command=("mini", "-m", "openai/{model}", "-t", "{prompt}", "-y", "--exit-immediately"),
        env={
            "OPENAI_API_KEY": "{key}",
            "OPENAI_API_BASE": "{gateway}/v1",
            "MSWEA_CONFIGURED": "true",
            "MSWEA_COST_TRACKING": "ignore_errors",
            "MSWEA_SILENT_STARTUP": "1",
        },
        is_headless=True,
        ask_road=AskRoad.PARK,
        packages="pip install mini-swe-agent",
    ),
)
"""In the order in which they are offered."""
