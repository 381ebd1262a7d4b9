"""The protocol of both ends, sans I/O: frames and times in, frames and messages out.

A thin shell owns the socket and the clock.

    worker                                     hub
    OPENING  ── hello(inventory) ──────────▶  OPENING
    OPEN     ◀───────── welcome(verdicts) ──  OPEN
             ── push(seq n…) ──────────────▶          apply last+1 only, else pull
             ◀──────────────────── ack(n) ──          n is committed
             ◀────────── events(after,upto) ─         apply from the cursor only, else pull
             ── seen(hub_seq) ─────────────▶
             ◀── offer ─ accept ─ grant ────▶         see `hub.core.job`, `desktop.core.attempt`
             ◀───────────── beat ───────────▶         both ways; silence ends the connection
    CLOSED   ◀───────────── bye ────────────▶

How a shell drives an end: pass every frame that arrives to `receive` and act on the message it
returns (None: nothing to do); call `poll` when `deadline` has come; after each call send what
`frames_to_send` returns, and close the socket with `close_code` once the phase is CLOSED.
Times are seconds of a monotonic clock.

Nothing here survives a connection: the log numbers that do are given to the constructor.
"""

from shared.protocol.end import BEAT_SECONDS, DEAD_SECONDS, HELLO_SECONDS, Beats, End, Phase
from shared.protocol.frames import FRAME_BYTES_MAX, ProtocolError
from shared.protocol.hub_end import HubEnd
from shared.protocol.lineage import kept_upto
from shared.protocol.stretch import Stretch, stretch
from shared.protocol.worker_end import WorkerEnd

__all__ = [
    "BEAT_SECONDS",
    "DEAD_SECONDS",
    "FRAME_BYTES_MAX",
    "HELLO_SECONDS",
    "Beats",
    "End",
    "HubEnd",
    "Phase",
    "ProtocolError",
    "Stretch",
    "WorkerEnd",
    "kept_upto",
    "stretch",
]
