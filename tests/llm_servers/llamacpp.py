"""A real llama.cpp server with a tiny model, in a process of its own.

For people: `python -m tests.llm_servers.llamacpp --port 8080 --models tiny,tiny2`, then
`deskhand probe examples/dilemmas.yaml --models local:tiny,local:tiny2`. For tests: `running()`.
The process tells its address as one line of JSON, and ends with its standard input (a test that
is killed leaves none behind) or at Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.llm_servers import gguf

MODELS = ("tiny", "tiny2")
PARALLEL = 4
CONTEXT_TOKENS = 8192
"""Of the whole server; each of the conversations at a time has its part of it."""
END_SECONDS = 10


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """Where the server listens, and what it wants to be shown."""

    address: str
    """"http://127.0.0.1:port", with no path; OpenAI's format is under "/v1"."""
    key: str
    """Empty when none is asked for."""
    models: tuple[str, ...]

    @property
    def base_url(self) -> str:
        """As an endpoint of OpenAI's format names it."""
        return f"{self.address}/v1"


@contextlib.contextmanager
def running(
    *, models: tuple[str, ...] = MODELS, key: str = "", context_tokens: int = CONTEXT_TOKENS
) -> Iterator[LlamaServer]:
    """Run a server on a free port, and end it afterwards."""
    argv = [sys.executable, "-m", __name__, "--models", ",".join(models), "--until-input-ends"]
    argv += ["--context", str(context_tokens), *(["--key", key] if key else [])]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            line = process.stdout.readline()
            if not line:
                said.seek(0)
                raise RuntimeError(f"llama.cpp did not start: {said.read()[-2000:]!r}")
            yield LlamaServer(json.loads(line)["address"], key, models)
        finally:
            process.stdin.close()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def serve(
    model: Path,
    *,
    models: tuple[str, ...],
    port: int = 0,
    key: str = "",
    context_tokens: int = CONTEXT_TOKENS,
) -> str:
    """Serve from this process's threads until it ends; return the address."""
    import xllamacpp

    asked = xllamacpp.CommonParams()
    asked.model.path = str(model)
    asked.hostnames = ["127.0.0.1"]
    asked.port = port
    asked.n_parallel = PARALLEL
    asked.n_ctx = context_tokens
    asked.cpuparams.n_threads = 1
    asked.cpuparams_batch.n_threads = 1
    asked.warmup = False
    asked.verbosity = 0
    asked.model_alias = set(models)
    if key:
        asked.api_keys = [key]
    server = xllamacpp.Server(asked)
    _serving.append(server)
    return str(server.listening_address)


_serving: list[object] = []
"""Servers work in threads that live as long as their objects do."""


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.llm_servers.llamacpp")
    parser.add_argument("--port", type=int, default=0, help="free one by default")
    parser.add_argument("--models", default=",".join(MODELS), help="names, with commas")
    parser.add_argument("--key", default="", help="what clients have to show")
    parser.add_argument("--context", type=int, default=CONTEXT_TOKENS, help="tokens")
    parser.add_argument("--seed", type=int, default=0, help="of the model's weights")
    parser.add_argument("--until-input-ends", action="store_true", help="for programs")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        model = gguf.write(Path(folder) / "tiny.gguf", asked.seed)
        address = serve(
            model,
            models=tuple(asked.models.split(",")),
            port=asked.port,
            key=asked.key,
            context_tokens=asked.context,
        )
        print(json.dumps({"address": address, "models": asked.models.split(",")}), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            if asked.until_input_ends:
                sys.stdin.read()
            else:
                threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
