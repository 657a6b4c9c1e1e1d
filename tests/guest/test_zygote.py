"""The zygote in a process of its own, spoken to as the host does."""

from __future__ import annotations

import re

from forking import ended
from recode_runtime.sandboxes.process import _order
from sessions import strict

PROGRAM = """
from recode_guest.zygote import Zygote

host, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
zygote = Zygote(theirs)
if os.geteuid() == 0:  # whose processes the kernel does not count
    os.setresuid(54321, 54321, 54321)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
ours, its = socket.socketpair()
socket.send_fds(host, [{request!r}], [its.fileno(), os.open("/dev/null", os.O_RDONLY)])
its.close()
say(zygote._answer())
say(ours.recv(1))
host.close()
say(zygote._answer())
"""


def test_a_zygote_that_can_fork_no_session_says_so_and_lives_on() -> None:
    """Who asked for it hears the end of its socket; the sessions that are there go on."""
    request = _order(strict(language={"facades": {}})).request
    told = ended(PROGRAM.format(request=request))
    complaint, *answers = told.lines
    assert re.fullmatch(
        "no process can be forked: (clone: )?Resource temporarily unavailable", complaint
    )
    assert (answers, told.status) == (["True", "b''", "False"], 0)
