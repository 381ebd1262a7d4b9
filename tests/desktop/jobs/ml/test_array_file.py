"""The array file gives back what was put in, and nothing that was smuggled in."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.jobs.ml import array_file
from shared.errors import BadInput, LimitReached


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def npy_saying(header: str, body: bytes = b"") -> bytes:
    text = header.encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        array_file.read(path)
    assert caught.value.code == "model_damaged"
    return caught.value


def test_arrays_and_text_come_back_as_they_were(tmp_path: Path) -> None:
    arrays: list[Any] = [
        np.arange(6.0).reshape(2, 3),
        np.array([], dtype=np.uint8),
        np.array([True, False]),
        np.arange(5, dtype=np.uint16),
        np.ones((2, 3), dtype=np.float32).T,
        np.array(7, dtype=np.int64),
    ]
    array_file.write(tmp_path / "m", arrays, {"ключ": [1, None, "ä"]})

    text, back = array_file.read(tmp_path / "m")

    assert text == {"ключ": [1, None, "ä"]}
    for before, after in zip(arrays, back, strict=True):
        assert before.dtype == after.dtype
        assert np.array_equal(before, after)


def test_numpy_can_open_the_file_too(tmp_path: Path) -> None:
    array_file.write(tmp_path / "m.npz", [np.arange(3.0)], {})

    with np.load(tmp_path / "m.npz", allow_pickle=False) as opened:
        assert list(opened["0"]) == [0, 1, 2]


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.write_text, (Path("pickle-ran"), "boom"))


@pytest.mark.parametrize(
    "entry",
    [
        npy(np.array([Bomb()], dtype=object), allow_pickle=True),
        b"cposix\nsystem\n(S'touch pickle-ran'\ntR.",
        npy(np.array(["text"])),
        npy(np.array([1 + 2j])),
        npy(np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])),
        npy(np.array(["2020-01-01"], dtype="datetime64[D]")),
        npy(np.arange(3, dtype=">f8")),
        npy(np.arange(3, dtype=np.float16)),
        npy(np.asfortranarray(np.ones((2, 3)))),
        npy_saying("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }"),
        npy_saying("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
        npy_saying("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8), }", b"\0" * 64),
        npy_saying("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", b"\0" * 8),
        npy_saying("{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }", b"\0" * 8),
        npy_saying("{'descr': '<f9', 'fortran_order': False, 'shape': (1,), }", b"\0" * 9),
        npy_saying("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\0" * 8),
        npy_saying("__import__('os').system('echo boom')"),
        npy_saying("{'descr': '<f8'}"),
        npy_saying("[" * 500),
        npy_saying("{'descr': '<f8', 'fortran_order': False, 'shape': ()}" + " " * 5000),
        b"\x93NUMPY\x03\x00" + b"\0" * 100,
        b"\x93NUM",
        b"",
    ],
)
def test_an_entry_that_is_no_plain_array_is_refused(entry: bytes, tmp_path: Path) -> None:
    refused(zipped(tmp_path / "m", {"structure.json": b"{}", "0.npy": entry}))

    assert not Path("pickle-ran").exists()


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"0.npy": npy(np.ones(1))},
        {"structure.json": b"{}", "1.npy": npy(np.ones(1))},
        {"structure.json": b"{}", "../0.npy": npy(np.ones(1))},
        {"structure.json": b"{", "0.npy": npy(np.ones(1))},
        {"structure.json": b"[" * 100_000},
        {"structure.json": b"\xff\xfe"},
    ],
)
def test_a_zip_with_other_contents_is_refused(entries: dict[str, bytes], tmp_path: Path) -> None:
    refused(zipped(tmp_path / "m", entries))


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"not a zip")

    refused(tmp_path / "m")
    refused(tmp_path / "missing")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_file, "UNPACKED_BYTES_MAX", 2**20)
    path = zipped(tmp_path / "m", {"structure.json": b"{}", "0.npy": b"\0" * 2**24})
    assert path.stat().st_size < 2**16

    assert "would unpack to 16 MB" in refused(path).message


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "m", {"structure.json": b"{}", "0.npy": npy(np.zeros(10_000))})
    raw = path.read_bytes()
    true = len(npy(np.zeros(10_000))).to_bytes(4, "little")
    assert raw.count(true) >= 2
    path.write_bytes(raw.replace(true, (200).to_bytes(4, "little")))

    refused(path)


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_file, "ENTRIES_MAX", 3)
    array_file.write(tmp_path / "m", [np.ones(1)] * 3, {})

    refused(tmp_path / "m")


def test_a_model_too_large_to_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_file, "FILE_BYTES_MAX", 1000)

    with pytest.raises(LimitReached) as caught:
        array_file.write(tmp_path / "m", [np.random.default_rng(0).random(1000)], {})
    assert caught.value.code == "model_too_large"


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_flipped_bytes_are_refused_or_harmless(data: st.DataObject, tmp_path: Path) -> None:
    array_file.write(tmp_path / "m", [np.arange(50.0), np.arange(9, dtype=np.uint8)], {"a": 1})
    raw = bytearray((tmp_path / "m").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "m").write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))

    try:
        text, arrays = array_file.read(tmp_path / "m")
    except BadInput:
        return
    assert json.dumps(text)
    assert all(array.dtype.kind in "buif" for array in arrays)
