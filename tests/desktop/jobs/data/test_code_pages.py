"""Old one-byte files are read in the alphabet they were written in."""

from __future__ import annotations

import pytest

from desktop.jobs.data.code_pages import code_page_of

WORDS = {
    "polish": ("cp1250", "Łódź Kraków Gdańsk Częstochowa Świnoujście żółty źrebię"),
    "czech": ("cp1250", "Příbram Třebíč Plzeň Brno Žďár kůň měsíc čtvrtek"),
    "hungarian": ("cp1250", "Győr Pécs Szőreg fűzfa ünnep élet Tűzoltó út"),
    "croatian": ("cp1250", "Čakovec Šibenik Požega Đurđevac Ćuprija"),
    "german": ("cp1252", "Zürich Köln Straße Österreich größer Übung"),
    "french": ("cp1252", "Genève Orléans façade août élève sœur à où Noël"),
    "spanish": ("cp1252", "Málaga Córdoba Ibáñez León ningún ¿Cuánto? ¡Sí!"),
    "portuguese": ("cp1252", "São João ações coração Évora avô três"),
    "danish": ("cp1252", "Århus Sønderborg Ærø København Nørre"),
    "swiss": ("cp1252", "Zürich Genève Köln Málaga Århus"),
    "one accent": ("cp1252", "a naïve plan"),
    "turkish": ("cp1254", "Iğdır Şanlıurfa İzmir Eskişehir Muğla çağrı ıslak"),
    "russian": ("cp1251", "Тверь Омск Нижний Новгород Пермь Уфа счёт оплачен"),
    "koi": ("koi8_r", "Тверь Омск Нижний Новгород Пермь Уфа счёт оплачен"),
}


@pytest.mark.parametrize("language", WORDS)
def test_a_column_of_words_tells_its_code_page(language: str) -> None:
    page, words = WORDS[language]
    rows = [f"{number};{word};{number * 1.5}" for number, word in enumerate(words.split() * 20)]
    content = "\n".join(rows)
    sample = content.encode(page)
    found = code_page_of(sample)
    # Another page with the same letters in the same places is as good.
    assert sample.decode(found) == content
