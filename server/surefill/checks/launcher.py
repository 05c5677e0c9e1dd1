"""The first program in the sandbox: takes its limits, gives up its user, becomes the program.

Run from its text by the interpreter in the sandbox, where Surefill is not to be found, so it needs
the standard library alone. Arguments: the descriptor on which it says that it got this far, the
user to become (0 to stay), limits as ``NAME=VALUE,...``, and the command.
"""

from __future__ import annotations

import os
import resource
import sys


def main(ready: str, user: str, limits: str, *command: str) -> None:
    """Replace this process by ``command``."""
    for limit in limits.split(","):
        name, _, value = limit.partition("=")
        number = getattr(resource, name)
        most = resource.getrlimit(number)[1]
        wanted = int(value) if most == resource.RLIM_INFINITY else min(int(value), most)
        # At the first limit of processor time a signal tells it, at the second one nothing does.
        second = wanted + 1 if name == "RLIMIT_CPU" and wanted != most else wanted
        resource.setrlimit(number, (wanted, second))
    if int(user):
        os.setgroups([])
        os.setresgid(int(user), int(user), int(user))
        os.setresuid(int(user), int(user), int(user))
    os.write(int(ready), b"ready")
    os.closerange(3, 1024)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
