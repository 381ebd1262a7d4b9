"""The words of the windows in the person's language (GNU gettext; catalogues under `locale/`).

Write every word a person reads as `tr("Open the log")`, with named fields filled in afterwards:
`tr("{name} is away").format(name=name)`. What hubs and jobs tell comes as they said it.
"""

from __future__ import annotations

import gettext
import locale
import os
from collections.abc import Sequence
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "deskhand"
LANGUAGES = {"en": "English", "ru": "Русский"}
"""What can be chosen, as its speakers call it."""


class _Catalogue:
    """The catalogue in force; English, the language of the source, until one is chosen."""

    now: gettext.NullTranslations = gettext.NullTranslations()


def choose(language: str = "") -> str:
    """Speak a language from now on; windows that are open keep their words.

    Args:
        language: a key of LANGUAGES; empty for the system's, as far as it is known here.

    Returns:
        The language that is spoken.
    """
    wanted = [language] if language else _of_system()
    chosen = next((w for name in wanted if (w := name[:2].lower()) in LANGUAGES), "en")
    _Catalogue.now = gettext.translation(DOMAIN, LOCALE, [chosen], fallback=True)
    return chosen


def tr(text: str) -> str:
    """Say a text in the language that was chosen."""
    return _Catalogue.now.gettext(text)


def trn(one: str, many: str, count: int) -> str:
    """Say a text that depends on a number; `{count}` in it is filled in here."""
    return _Catalogue.now.ngettext(one, many, count).format(count=count)


def _of_system() -> Sequence[str]:
    told = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    return [*(name for name in told if name), locale.getlocale()[0] or ""]
