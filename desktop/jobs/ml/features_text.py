"""Text columns as weighted terms (tf-idf of words and pairs) and a few summarising directions.

The tokeniser, the vocabulary and the weights are our own tables, so a stored model needs nothing
but numpy and scipy's sparse arrays to read new text. scikit-learn only finds the directions.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

WORDS_MAX = 20_000
PAIRS_MAX = 30_000
FIT_ROWS_MAX = 100_000
"""Vocabulary and weights are learnt from a sample of more rows than this."""
ROWS_OF_TERM_MIN = 3
"""A word or pair seen in fewer rows tells nothing that lasts."""
DIRECTIONS = 20
CHARS_READ_MAX = 20_000
"""Longer cells are cut: the start of a document says what it is about."""

_WORD = re.compile(r"[^\W_]+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class TextColumn:
    """The words and pairs of a text column, their weights, and directions through them."""

    column: str
    words: tuple[str, ...]
    """The vocabulary; a word's place is its term."""
    pairs: npt.NDArray[np.int64]
    """Sorted keys of known pairs, first word * len(words) + second word; terms after the words."""
    weights: npt.NDArray[np.float64]
    """[terms]: how much a term is worth, more the rarer it is (inverse document frequency)."""
    directions: npt.NDArray[np.float32]
    """[terms, directions], orthogonal."""
    form: Literal["text"] = "text"

    @classmethod
    def fit(cls, column: str, values: pd.Series, seed: int) -> TextColumn:
        """Learn vocabulary, weights and directions."""
        if len(values) > FIT_ROWS_MAX:
            values = values.sample(FIT_ROWS_MAX, random_state=seed)
        texts = _as_texts(values)
        words = _common_words(texts)
        bare = cls(column, words, np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 0), np.float32))
        pairs = bare._common_pairs(texts)
        counted = cls(column, words, pairs, np.ones(len(words) + len(pairs)), bare.directions)
        rows_of_term = np.bincount(counted._counts(texts).indices, minlength=len(counted.weights))
        # Smoothed inverse document frequency (Manning, Raghavan, Schütze 2008, chapter 6.2).
        weights = np.log((1 + len(texts)) / (1 + rows_of_term)) + 1
        weighted = cls(column, words, pairs, weights, bare.directions)
        directions = _directions(weighted.terms(values), seed)
        return cls(column, words, pairs, weights, directions)

    @property
    def names(self) -> tuple[str, ...]:
        count = self.directions.shape[1]
        themes = (f"{self.column} (theme {number + 1})" for number in range(count))
        return (*themes, f"{self.column} (length)", f"{self.column} (words)")

    @property
    def term_names(self) -> tuple[str, ...]:
        """The term of each column that `terms` gives, as text."""
        firsts, seconds = np.divmod(self.pairs, max(1, len(self.words)))
        both = zip(firsts, seconds, strict=True)
        return (*self.words, *(f"{self.words[a]} {self.words[b]}" for a, b in both))

    def terms(self, values: pd.Series) -> sparse.csr_array:
        """Give the tf-idf rows, each of length 1 (or 0): float64 [rows, terms]."""
        from scipy import sparse

        counts = self._counts(_as_texts(values))
        data = (1 + np.log(counts.data)) * self.weights[counts.indices]
        lengths = np.sqrt(_row_sums(data**2, counts.indptr))
        data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(counts.indptr))
        return sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)

    def apply(self, values: pd.Series, terms: sparse.csr_array) -> npt.NDArray[np.float32]:
        """Give float32 [rows, directions + 2]: places along the directions, length, words."""
        texts = _as_texts(values)
        length = np.array([len(text) for text in texts], dtype=np.float32)
        words = np.array([text.count(" ") + 1 if text else 0 for text in texts], dtype=np.float32)
        places = terms @ self.directions if self.directions.size else np.zeros((len(texts), 0))
        return np.column_stack([places, length, words]).astype(np.float32)

    def _counts(self, texts: list[str]) -> sparse.csr_array:
        """Count the known terms of each row: CSR [rows, terms] with sorted terms."""
        from scipy import sparse

        places, starts = self._places(texts)
        owners = np.repeat(np.arange(len(texts)), np.diff(starts))
        pair_owners, pair_terms = self._pair_terms(places, owners)
        is_known = places >= 0
        rows = np.concatenate([owners[is_known], pair_owners])
        terms = np.concatenate([places[is_known], pair_terms])
        shape = (len(texts), len(self.words) + len(self.pairs))
        counts = sparse.coo_array((np.ones(len(rows)), (rows, terms)), shape=shape).tocsr()
        counts.sum_duplicates()
        return counts

    def _places(self, texts: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give all texts' words one after another as places, and where each text starts."""
        known = {word: place for place, word in enumerate(self.words)}
        # Eight bytes a word; a list of numbers would take four times that.
        places = array("q")
        starts = array("q", [0])
        for text in texts:
            places.extend(known.get(word, -1) for word in words_of(text))
            starts.append(len(places))
        return np.frombuffer(places, dtype=np.int64), np.frombuffer(starts, dtype=np.int64)

    def _pair_keys(
        self, places: npt.NDArray[np.int64], owners: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give owner and key of each two neighbouring known words of the same text."""
        first, second = places[:-1], places[1:]
        is_pair = (owners[:-1] == owners[1:]) & (first >= 0) & (second >= 0)
        return owners[:-1][is_pair], (first * len(self.words) + second)[is_pair]

    def _pair_terms(
        self, places: npt.NDArray[np.int64], owners: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        pair_owners, keys = self._pair_keys(places, owners)
        if not len(self.pairs):
            return pair_owners[:0], keys[:0]
        guess = np.searchsorted(self.pairs, keys).clip(0, len(self.pairs) - 1)
        is_known = self.pairs[guess] == keys
        return pair_owners[is_known], guess[is_known] + len(self.words)

    def _common_pairs(self, texts: list[str]) -> npt.NDArray[np.int64]:
        places, starts = self._places(texts)
        owners = np.repeat(np.arange(len(texts)), np.diff(starts))
        pair_owners, keys = self._pair_keys(places, owners)
        found, number = np.unique(keys, return_inverse=True)
        once = np.unique(number * len(texts) + pair_owners) // max(1, len(texts))
        rows = np.bincount(once, minlength=len(found))
        common, rows = found[rows >= ROWS_OF_TERM_MIN], rows[rows >= ROWS_OF_TERM_MIN]
        return np.sort(common[np.argsort(-rows, kind="stable")[:PAIRS_MAX]])


def words_of(text: str) -> list[str]:
    """Split a text into lower-case words and numbers."""
    return _WORD.findall(text[:CHARS_READ_MAX].lower())


def _as_texts(values: pd.Series) -> list[str]:
    return ["" if cell is None or cell != cell else str(cell) for cell in values.astype(object)]


def _common_words(texts: list[str]) -> tuple[str, ...]:
    rows_of_word: dict[str, int] = {}
    for text in texts:
        for word in set(words_of(text)):
            rows_of_word[word] = rows_of_word.get(word, 0) + 1
    common = [word for word, rows in rows_of_word.items() if rows >= ROWS_OF_TERM_MIN]
    common.sort(key=lambda word: (-rows_of_word[word], word))
    return tuple(common[:WORDS_MAX])


def _row_sums(
    data: npt.NDArray[np.float64], starts: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    owners = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    sums = np.bincount(owners, weights=data, minlength=len(starts) - 1)
    return sums.astype(np.float64)


def _directions(terms: sparse.csr_array, seed: int) -> npt.NDArray[np.float32]:
    """Find the directions along which the rows differ most (truncated SVD)."""
    from sklearn.utils.extmath import randomized_svd

    count = min(DIRECTIONS, terms.shape[1] - 1, terms.shape[0] - 1)
    if count < 1:
        return np.zeros((terms.shape[1], 0), dtype=np.float32)
    _, _, directions = randomized_svd(terms, count, n_iter=3, random_state=seed)
    return np.asarray(directions.T, dtype=np.float32)
