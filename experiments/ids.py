"""Whether ids are distinct when case and outer spaces are ignored, fast enough for a million.

Ids of different lengths differ, so ids are compared within a length: their bytes, in lower case, are
hashed to 64 bits and the hashes compared. Distinct hashes prove distinct ids; equal ones prove nothing,
and then (as with ids outside ASCII, or with spaces) the ids themselves are compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

LONGEST = 64
_LOWER = np.arange(256, dtype=np.uint8)
_LOWER[ord("A") : ord("Z") + 1] += 32


def distinct_ignoring_case(index: pd.Index[Any]) -> bool:
    """True where no two text ids agree in lower case, stripped, and none is empty."""
    if _distinct_hashes(index):
        return True
    folded = fold(index)
    return bool(folded.is_unique) and not bool((folded == "").any())


def fold(index: pd.Index[Any]) -> pd.Index[Any]:
    """The ids in lower case without outer spaces."""
    return pd.Index(index.astype("str").str.strip().str.lower())


def _distinct_hashes(index: pd.Index[Any]) -> bool:
    """True only where the ids are certainly distinct."""
    text = pa.array(index, type=pa.large_string(), from_pandas=True)
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    _, offsets_buffer, data_buffer = text.buffers()
    if data_buffer is None:
        return False
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    data: Bytes = np.frombuffer(data_buffer, dtype=np.uint8)[: offsets[-1]]
    length = np.diff(offsets)
    if int(length.min()) == 0 or int(length.max()) > LONGEST:
        return False
    used = data[offsets[0] :]
    if int(used.max()) > 127 or int(used.min()) <= 32:
        return False
    lower = _LOWER[data]
    return all(
        _distinct_words(_words(lower, offsets[:-1][length == size], int(size)))
        for size in np.flatnonzero(np.bincount(length))
    )


def _words(data: Bytes, start: NDArray[np.int64], size: int) -> Words:
    """(ids, words) the ids' bytes, eight to a word, filled up with zeros."""
    width = -(-size // 8) * 8
    padded = np.zeros((len(start), width), dtype=np.uint8)
    if len(start) and int(start[-1] - start[0]) == size * (len(start) - 1):
        padded[:, :size] = data[start[0] : start[-1] + size].reshape(len(start), size)
    else:
        padded[:, :size] = np.lib.stride_tricks.sliding_window_view(data, size)[start]
    return padded.view(np.uint64)


def _distinct_words(words: Words) -> bool:
    """True where the rows already rise, or their hashes (words mixed by odd constants) differ."""
    text = words.view(f"S{8 * words.shape[1]}").ravel()
    if bool((text[1:] > text[:-1]).all()):
        return True
    hashed = words[:, 0].copy()
    for column in range(1, words.shape[1]):
        hashed ^= hashed >> np.uint64(29)
        hashed *= np.uint64(0x9E3779B97F4A7C15)
        hashed += words[:, column]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashed ^= hashed >> np.uint64(shift)
        hashed *= np.uint64(factor)
    hashed ^= hashed >> np.uint64(31)
    return _distinct_numbers(hashed)


def _distinct_numbers(numbers: Words) -> bool:
    """True where all differ: the last of each slot is compared with the others, which then go on."""
    for shift in range(0, 40, 8):
        bits = max(8, len(numbers).bit_length() + 1)
        slot = ((numbers >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).astype(np.int64)
        order = np.arange(len(numbers), dtype=np.int32)
        last = np.empty(1 << bits, dtype=np.int32)
        last[slot] = order
        held = last[slot]
        beaten = np.flatnonzero(held != order)
        if bool((numbers[beaten] == numbers[held[beaten]]).any()):
            return False
        numbers = numbers[beaten]
        if len(numbers) < 2:
            return True
    numbers = np.sort(numbers)
    return not bool((numbers[1:] == numbers[:-1]).any())
