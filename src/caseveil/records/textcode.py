"""Bytes of a text file to text: which encoding, and a refusal where there are two.

UTF-8 and a byte order mark decide by themselves. Anything else is an older code page: guessed by
charset-normalizer where it is installed, Windows-1252 where not. A file that is UTF-8 in one part and
something else in another is refused, because one of the parts would be read wrongly.
"""

from __future__ import annotations

import codecs
import re

from caseveil.errors import SourceError

_MARKS = (  # UTF-32 first: its little-endian mark starts with the one of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODE_PAGES = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "cp874", "koi8_r", "cp932", "gb18030", "big5", "cp949",
)  # fmt: skip
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_MARKED_RUN = re.compile(r"[^\x00-\x7f]+")
_WESTERN = re.compile(
    "[\u00c0-\u00cf\u00d1-\u00d6\u00d8-\u00dc\u00df-\u00ef\u00f1-\u00f6\u00f8-\u00fc\u0152\u0153\u2013\u2014\u2018-\u201d\u2026]+"
)
_ADVICE = "save the whole file as UTF-8"


def text_encoding(data: bytes, what: str) -> tuple[str, str]:
    """The codec that decodes the whole file (and drops a byte order mark), and a note ('' unless it is a guess).

    Raises SourceError with a byte offset, never bytes.
    """
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if marked is None and b"\0" in data:
        raise SourceError(
            f"{what}: byte {data.index(0)} is a NUL, which no text holds; is it a text file? If UTF-16, {_ADVICE}"
        )
    encoding = marked or "utf-8"
    offset, nul = _check(data, encoding)
    if nul >= 0:
        raise SourceError(f"{what}: character {nul} is a NUL, which no text holds; is it a text file?")
    if offset < 0:
        return encoding, ""
    if marked is not None:
        name = marked.removesuffix("-sig").upper()
        raise SourceError(f"{what}: byte {offset} is not {name}, which the mark at its start promises; {_ADVICE}")
    return _code_page(data, offset, what)


def _check(data: bytes, encoding: str) -> tuple[int, int]:
    """(offset of the first byte that cannot be decoded, position of the first NUL), -1 for none.

    The exception holds the whole file, so it must not become the context of whatever is raised later.
    """
    try:
        return -1, data.decode(encoding).find("\0")
    except UnicodeDecodeError as error:
        return error.start + (len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0), -1


def _code_page(data: bytes, offset: int, what: str) -> tuple[str, str]:
    proper = len(_UTF8_SEQUENCE.findall(data))
    improper = len(_UTF8_SEQUENCE.sub(b"", data).translate(None, bytes(range(0x80))))
    encoding = _guess(data)
    # Windows-1252 text holds a UTF-8 sequence only by accident; scripts of two-byte codes hold some.
    if proper > improper or (proper and encoding == "cp1252"):
        raise SourceError(
            f"{what}: byte {offset} is not UTF-8, though other parts are: two encodings in one file; {_ADVICE}"
        )
    unfit, _ = _check(data, encoding)
    if unfit >= 0:
        raise SourceError(f"{what}: byte {unfit} fits neither UTF-8 nor {encoding}; {_ADVICE}")
    return encoding, f"{what} is not UTF-8; it was read as {encoding}, which is a guess. To be sure, {_ADVICE}"


def _guess(data: bytes) -> str:
    telling = b"\n".join(line for line in data.splitlines() if not line.isascii())[:100_000]
    if _is_western(telling):
        return "cp1252"
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return "cp1252"
    best = from_bytes(telling, cp_isolation=list(_CODE_PAGES)).best()
    return best.encoding if best is not None else "cp1252"


def _is_western(telling: bytes) -> bool:
    """Whether Windows-1252 gives words of ASCII letters with single accented letters of western languages.

    Statistical guesses are poor on a few short words ('Espa\u0144a'), and such words are what case files hold.
    """
    text = telling.decode("cp1252", errors="replace")
    marked = _MARKED_RUN.findall(text)
    lone = sum(len(run) == 1 for run in marked)
    return all(_WESTERN.fullmatch(run) for run in marked) and 2 * lone > len(marked)
