"""One performance of all examples in a folder that is thrown away."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TextIO

from hub.demo.programs import Programs, free_port
from hub.frontends.transcript import Transcript
from tests.examples.all_of_them import EXAMPLES
from tests.examples.page import files_of, index
from tests.examples.play import ExamplesPlay


async def performed(out: TextIO) -> dict[str, dict[str, str]]:
    """Play all; return the files of each folder by its name, the list of all under none."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Programs(folder) as programs:
            stage = ExamplesPlay(folder, programs, Transcript(out), free_port())
            try:
                await stage.perform(EXAMPLES)
            except Exception:
                for log, lines in programs.last_lines().items():
                    out.write(f"\n{log}:\n" + "\n".join(lines) + "\n")
                raise
            made = {one.example.name: files_of(stage.stable(one)) for one in stage.played}
            return {"": {"README.md": index()}, **made}
