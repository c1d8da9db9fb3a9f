"""Who holds a claim: this thread of this process of this machine, and whether it still lives."""

import os
import socket
import threading


def me() -> str:
    """This thread of this process of this machine."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


def claim_is_dead(claimed_by: str) -> bool:
    """Whether the claim's process was on this machine and is no more.

    A process whose number was given to another one looks alive; its claim's age tells later.
    """
    host, _colon, worker = claimed_by.partition(":")
    pid = worker.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if claimed_by == me():
        # The very thread that claimed it is here asking again: the task that did is over.
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
