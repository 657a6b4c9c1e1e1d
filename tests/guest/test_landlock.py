"""Landlock on kernels of different age: each is asked for all that it knows, and for no more."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from parts import skip_without
from programs_apart import result_apart
from recode_guest import landlock

# By version: what it refuses of opening a file, cutting one, TCP, and an abstract socket.
REFUSED = {
    1: ["EACCES", "through", "through", "through"],
    2: ["EACCES", "through", "through", "through"],
    3: ["EACCES", "EACCES", "through", "through"],
    4: ["EACCES", "EACCES", "EACCES", "through"],
    5: ["EACCES", "EACCES", "EACCES", "through"],
    6: ["EACCES", "EACCES", "EACCES", "EPERM"],
    99: ["EACCES", "EACCES", "EACCES", "EPERM"],
}


@pytest.mark.parametrize("version", REFUSED)
def test_a_version_refuses_what_it_knows(version: int, tmp_path: Path) -> None:
    """On this kernel, which is told to be no newer than that."""
    if landlock.version() < min(version, 6):
        skip_without("landlock", f"Landlock of version {version}")
    file = tmp_path / "file"
    file.write_text("of the host")
    name = f"\0recode-test-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(name)
        abstract.listen()
        told = result_apart(f"""
            import errno, os, socket
            from recode_guest import kernel, landlock

            def tried(function, *arguments):
                try:
                    function(*arguments)
                except OSError as problem:
                    return errno.errorcode[problem.errno]
                return "through"

            tcp, abstract = socket.socket(), socket.socket(socket.AF_UNIX)
            landlock.version = lambda: {version}
            kernel.process_control(kernel.PR_SET_NO_NEW_PRIVS, 1)
            os.close(landlock.deny_all())
            result = [
                tried(os.open, {str(file)!r}, os.O_RDONLY),
                tried(os.truncate, {str(file)!r}, 1),
                tried(tcp.connect, {tcp.getsockname()!r}),
                tried(abstract.connect, {name!r}),
            ]
        """)
    assert told == REFUSED[version]


def test_this_kernel_has_landlock() -> None:
    """The default policy requires it."""
    try:
        assert landlock.version() >= 1
    except OSError as problem:
        skip_without("landlock", f"Landlock: {problem.strerror}")
