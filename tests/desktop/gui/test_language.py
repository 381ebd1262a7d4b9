"""Every word of the windows is in every catalogue, complete, and fits what is filled in."""

from __future__ import annotations

import ast
import importlib.util
import string
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from desktop.gui import language
from desktop.gui.language import LANGUAGES, LOCALE, choose, tr, trn

ROOT = Path(__file__).parents[3]


def load_words() -> ModuleType:
    spec = importlib.util.spec_from_file_location("words", ROOT / "packaging" / "words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


words = load_words()
TRANSLATED = [name for name in LANGUAGES if name != "en"]


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    yield
    choose("en")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_text_is_translated_and_no_other_is_kept(name: str) -> None:
    wanted = {m.id for m in words.extract() if m.id}
    catalog = words.load(name)
    assert {m.id for m in catalog if m.id} == wanted, "run `make words`, then translate"
    missing = [m.id for m in catalog if m.id and (m.fuzzy or not words.all_told(m.string))]
    assert not missing


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_fills_in_the_same_fields(name: str) -> None:
    for message in words.load(name):
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        told = [message.string] if isinstance(message.string, str) else list(message.string)
        for text in told:
            assert fields(text) == fields(ids[-1]), text


@pytest.mark.parametrize("name", TRANSLATED)
def test_the_compiled_catalogue_is_of_the_one_that_is_read(name: str) -> None:
    path = LOCALE / name / "LC_MESSAGES" / "deskhand.mo"
    assert path.read_bytes() == words.compiled(words.load(name)), "run `make words`"


def test_every_text_is_written_out_where_it_is_said() -> None:
    """An f-string or a variable in `tr` would never be found by a translator."""
    for path in sorted((ROOT / "desktop" / "gui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            texts = {"tr": node.args[:1], "trn": node.args[:2]}.get(node.func.id, [])
            for text in texts:
                assert isinstance(text, ast.Constant), f"{path.name}:{node.lineno}"


def test_numbers_take_the_plural_of_their_language() -> None:
    assert choose("en") == "en"
    assert [trn("{count} job", "{count} jobs", n) for n in (1, 2)] == ["1 job", "2 jobs"]


def test_an_unknown_language_speaks_english() -> None:
    assert choose("tlh") == "en"
    assert tr("Quit") == "Quit"


def test_the_systems_language_is_spoken_where_there_is_a_catalogue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    assert choose() == "ru"
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    assert choose() == "en"
    assert language.LANGUAGES["ru"] == "Русский"
