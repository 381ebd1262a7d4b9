"""Write and read a file of arrays and one JSON text; reading trusts nothing in it.

The file is an .npz (a zip of .npy), so numpy and others can open it, too. It is read here member
by member instead of by `numpy.load`: sizes are known before anything is unpacked, and neither
Python objects nor shapes that do not fit their bytes get through.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from desktop.jobs.ml.packed import Array, damaged
from shared.errors import BadInput, LimitReached

FILE_BYTES_MAX = 256 * 2**20
UNPACKED_BYTES_MAX = 1024 * 2**20
ENTRIES_MAX = 50_000
TEXT_BYTES_MAX = 256 * 2**20
HEADER_BYTES_MAX = 1_000
TEXT_NAME = "structure.json"
WHEN = (1980, 1, 1, 0, 0, 0)
"""Every entry carries this date, so equal models are equal files."""
PLAIN_TYPES = frozenset(
    ["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"]
)
MAGIC = b"\x93NUMPY\x01\x00"
HEADER = re.compile(
    rb"\{'descr': '(?P<kind>[|<]\w\d)', 'fortran_order': False, "
    rb"'shape': \((?P<shape>(\d{1,15},? ?){0,4})\), \}\s*"
)
"""What numpy writes before an array (its "NPY format", version 1.0). numpy reads it by Python's
own parser, which fails in too many ways on hostile text."""


def write(path: Path, arrays: Sequence[Array], text: JsonValue) -> None:
    """Write arrays, numbered from 0, and a JSON text.

    Raises:
        LimitReached: `model_too_large`.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        encoded = json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode()
        _put(archive, TEXT_NAME, encoded)
        for number, array in enumerate(arrays):
            assert array.dtype.str in PLAIN_TYPES, array.dtype
            buffer = io.BytesIO()
            rows_first = np.asarray(array, order="C")
            np.lib.format.write_array(buffer, rows_first, version=(1, 0), allow_pickle=False)
            _put(archive, f"{number}.npy", buffer.getvalue())
    if path.stat().st_size > FILE_BYTES_MAX:
        raise LimitReached(
            "model_too_large",
            f"The model would be larger than {FILE_BYTES_MAX // 2**20} MB.",
            "Leave out long text columns, or train on fewer columns.",
        )


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, WHEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def read(path: Path) -> tuple[JsonValue, list[Array]]:
    """Read what `write` wrote.

    Raises:
        BadInput: `model_damaged`, when it is anything else; sizes are bounded before reading.
    """
    # What the zip module raises for hostile files is not one family.
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive, path.stat().st_size)
            with archive.open(entries[0]) as stream:
                text: JsonValue = json.loads(_exactly(stream.read, entries[0].file_size))
            arrays = [_read_array(archive, entry) for entry in entries[1:]]
    except BadInput:
        raise
    except (
        OSError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        NotImplementedError,
        OverflowError,
        MemoryError,
    ) as error:
        raise damaged(f"it cannot be unpacked ({type(error).__name__})") from None
    return text, arrays


def _entries(archive: zipfile.ZipFile, file_bytes: int) -> list[zipfile.ZipInfo]:
    """Check the zip's own list: the text first, then the arrays in order, within the limits."""
    entries = archive.infolist()
    wanted = [TEXT_NAME, *(f"{number}.npy" for number in range(len(entries) - 1))]
    if len(entries) > ENTRIES_MAX or [entry.filename for entry in entries] != wanted:
        raise damaged("its list of arrays is wrong")
    sizes = sum(entry.file_size for entry in entries)
    if file_bytes > FILE_BYTES_MAX or sizes > UNPACKED_BYTES_MAX:
        raise damaged(f"it would unpack to {sizes // 2**20} MB")
    if entries[0].file_size > TEXT_BYTES_MAX:
        raise damaged("its text is too long")
    return entries


def _exactly(read: Callable[[int], bytes], count: int) -> bytes:
    content = read(count)
    if len(content) != count:
        raise damaged("an entry is shorter than it says")
    return content


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    with archive.open(entry) as stream:
        content = _exactly(stream.read, entry.file_size)
    head_bytes = len(MAGIC) + 2 + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 2], "little")
    header = HEADER.fullmatch(content[len(MAGIC) + 2 : head_bytes][:HEADER_BYTES_MAX])
    if not content.startswith(MAGIC) or header is None:
        raise damaged("an array is not described as one")
    kind = header["kind"].decode()
    if kind not in PLAIN_TYPES:
        raise damaged(f"an array holds '{kind}' instead of plain numbers")
    shape = tuple(int(size) for size in header["shape"].split(b",") if size.strip())
    # Python's numbers do not overflow, so a huge shape cannot pretend to be small.
    if math.prod(shape) * np.dtype(kind).itemsize != len(content) - head_bytes:
        raise damaged("an array is not as large as it says")
    return np.frombuffer(content, np.dtype(kind), offset=head_bytes).reshape(shape)
