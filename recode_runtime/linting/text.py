"""A file as text: decoded as Python would, its line ends, encoding and mode kept when written."""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import stat
import tempfile
import tokenize
from dataclasses import dataclass
from pathlib import Path

# Python's grammar knows no lone carriage return in a program; CommonMark ends a line there.
_PYTHON_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unreadable(Exception):
    """A file is no text that can be checked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a file, each with its own end, and the encoding they came in."""

    lines: tuple[str, ...]
    encoding: str

    @property
    def decoded(self) -> str:
        """The whole text, with the line ends it has."""
        return "".join(self.lines)

    @property
    def plain(self) -> list[str]:
        """The lines without their ends."""
        return [line.rstrip("\r\n") for line in self.lines]

    @property
    def encoded(self) -> bytes:
        """The whole text as a file holds it."""
        return self.decoded.encode(self.encoding)

    def write(self, path: Path) -> None:
        """Put the text in the place of the file, whole or not at all; its mode stays.

        Raises:
            OSError: it cannot be written, or is read-only; the file is as it was.
        """
        target = path.resolve()  # a link stays a link
        if not os.access(target, os.W_OK):  # the folder alone would let us replace it
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.encoded)
            Path(name).chmod(stat.S_IMODE(target.stat().st_mode))
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def read_text(content: bytes, *, python: bool) -> Text:
    """The text of a file: UTF-8, or for Python what its coding line says.

    Raises:
        Unreadable: it is no text, or not in that encoding.
    """
    if content.startswith(_MARKS):
        raise Unreadable("it is UTF-16 or UTF-32; save it as UTF-8")
    if b"\0" in content[:8192]:
        raise Unreadable("it is a binary file (it holds NUL bytes)")
    encoding = _encoding(content) if python else "utf-8"
    if encoding == "utf-8" and content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        decoded = content.decode(encoding)
        if decoded.encode(encoding) != content:
            raise Unreadable(f"its encoding {encoding} does not keep it as it is; save it as UTF-8")
    except UnicodeDecodeError as problem:
        raise Unreadable(
            f"it is not {encoding} (byte {problem.object[problem.start]:#04x} at "
            f"{problem.start}); save it as UTF-8"
        ) from None
    except (UnicodeError, LookupError, ValueError):
        raise Unreadable(f"its encoding {encoding} is none for text; save it as UTF-8") from None
    lines = _PYTHON_LINES if python else _LINES
    return Text(tuple(lines.findall(decoded)), encoding)


def _encoding(content: bytes) -> str:
    try:
        return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    except SyntaxError as problem:
        raise Unreadable(f"{problem.msg or problem}; save it as UTF-8") from None
