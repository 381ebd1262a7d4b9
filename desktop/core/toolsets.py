"""What can be added to a worker that was installed without it, and which kinds need it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Toolset:
    """Packages that go together."""

    name: str
    """Of the extra, and after "deskhand setup"."""
    words: str
    """As people call it."""
    download_mb: int
    """About; unpacked it is four times that."""

    @property
    def command(self) -> str:
        return f"deskhand setup {self.name}"

    @property
    def lock(self) -> str:
        """Name of the hash-locked requirements; the worker's own are in them."""
        return f"worker-{self.name}"


TRAINING = Toolset("ml", "training tools", 150)
MODELS = Toolset("llm", "tools to ask language models", 35)
WEB = Toolset("web", "tools for web research and documents", 130)
TOOLSETS = {toolset.name: toolset for toolset in (TRAINING, MODELS, WEB)}


def toolset_for(kind: str) -> Toolset:
    """Return what a worker lacks that cannot run a kind."""
    match kind.partition(".")[0]:
        case "code" | "llm" | "plan":
            return MODELS
        case "web":
            return WEB
        case _:
            return TRAINING


def git_command(platform: str) -> str:
    """Return what adds git to a machine, by the name that Python gives its system."""
    match platform:
        case "darwin":
            return "xcode-select --install"
        case "win32":
            return "winget install --id Git.Git"
        case _:
            return "sudo apt install git (or as your system installs git)"
