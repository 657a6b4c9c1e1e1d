"""A Java process that is spoken to through py4j, and that ends with this one whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Thread, Timer
from typing import Any

from recode_runtime.errors import EnvironmentUnavailable

_MISSING = (
    "{what} needs Java, and no java executable was found (looked in JAVA_HOME and PATH). "
    "On Debian or Ubuntu: sudo apt-get install default-jre-headless. "
    "The built-in world needs nothing: --env crafting"
)


def java_executable(what: str) -> str:
    """The path of the `java` executable, JAVA_HOME before PATH; `what` is who needs it.

    Raises:
        EnvironmentUnavailable: there is none; the message says how to install it.
    """
    home = os.environ.get("JAVA_HOME")
    inside = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    found = inside or shutil.which("java")
    if found is None:
        raise EnvironmentUnavailable(_MISSING.format(what=what))
    return found


class JavaProcess:
    """One Java process; `jvm` is py4j's view of the classes in it.

    It sits in a session of its own, so that Ctrl-C at a terminal leaves its end to `close`; and it
    ends by itself when its standard input does, which the kernel closes even if this process is
    killed. Connections carry a token: other users of the machine share the loopback interface.

    Args:
        executable: the path of `java`.
        jar: the program's archive; its folder is the working directory.
        patience: seconds after which a process that has not started is given up.

    Raises:
        EnvironmentUnavailable: it did not start; the message holds what it said.
    """

    def __init__(self, executable: str, jar: Path, *, patience: float = 30.0) -> None:
        from py4j.java_gateway import find_jar_path

        classpath = os.pathsep.join(path for path in (find_jar_path(), str(jar)) if path)
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-classpath", classpath]
        server = ["py4j.GatewayServer", "--die-on-broken-pipe", "--enable-auth", "0"]
        self._process = subprocess.Popen(  # noqa: S603 - no shell; the paths are ours
            [executable, *options, *server],
            cwd=jar.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._drain = Thread(target=self._read_to_end, daemon=True)
        self._connection: Any = None
        try:
            port, token = self._greeting(patience)
            self._drain.start()
            self._connect(port, token)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def close(self) -> None:
        """Kill the process and release all that belongs to it; safe to call again."""
        self._kill()
        self._process.wait()
        if self._drain.is_alive():
            self._drain.join()
        if self._connection is not None:
            if self._connection.is_connected:
                self._connection.close()
            self._connection.socket.close()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _connect(self, port: int, token: str) -> None:
        from py4j.java_gateway import GatewayConnection, GatewayParameters, JavaGateway

        # py4j would tell the process of every Java object that Python forgets, from inside the
        # garbage collector: after `close` too, when there is nobody to tell.
        parameters = GatewayParameters(port=port, auth_token=token, enable_memory_management=False)
        gateway = JavaGateway(gateway_parameters=parameters)
        # The connection serves as the client, as py4j allows: the usual one sends a command a
        # second time if the answer to the first is lost, and a step could be taken twice.
        self._connection = GatewayConnection(parameters, gateway.gateway_property)
        self._connection.start()
        gateway.set_gateway_client(self._connection)
        self.jvm = gateway.jvm

    def _kill(self) -> None:
        """Kill the whole session: `java` may be a script that has started the real one."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _greeting(self, patience: float) -> tuple[int, str]:
        """The port and the token that the process prints, after whatever Java says before."""
        said: list[str] = []
        alarm = Timer(patience, self._kill)
        alarm.start()
        try:
            while line := self._line():
                if line.strip().isdigit():
                    return int(line), self._line().rstrip("\r\n")
                said.append(line)
        finally:
            alarm.cancel()
            alarm.join()
        raise EnvironmentUnavailable(f"Java did not start. It said: {''.join(said).strip()!r}")

    def _line(self) -> str:
        if self._process.stdout is None:
            return ""
        return self._process.stdout.readline().decode(errors="replace")

    def _read_to_end(self) -> None:
        """Without a reader a talkative process would block on a full pipe."""
        while self._line():
            pass
