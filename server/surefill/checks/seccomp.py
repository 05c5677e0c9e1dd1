"""The system calls that a sandboxed program is refused, as a filter that the kernel runs.

Namespaces hide the machine; they do not bound memory that belongs to no process, key rings, sockets
into the host of a virtual machine, or what a program could reach in a namespace of its own. Docker
and Flatpak refuse nearly the same calls, for the same reasons.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from surefill.errors import SandboxError

# See linux/bpf_common.h and linux/seccomp.h.
_LOAD, _EQUALS, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16
"""Offsets in ``struct seccomp_data``: the call, the architecture, the first argument's low half."""

_NEW_USER_NAMESPACE = 0x10000000
_SOCKET_FAMILIES = (1, 2, 10)
"""Unix, IPv4 and IPv6, which the network namespace confines; others (vsock) reach out of it."""
_X32 = 0x40000000
"""Added to the numbers of the second set of calls that x86-64 kernels have."""

_NAMES = (
    # Other processes.
    *("ptrace", "process_vm_readv", "process_vm_writev", "perf_event_open", "bpf"),
    # Memory that no limit of a process counts.
    *("shmget", "msgget", "semget", "memfd_create", "memfd_secret"),
    # Key rings, which have no namespace.
    *("keyctl", "add_key", "request_key"),
    # Large parts of the kernel that no program here needs.
    *("io_uring_setup", "userfaultfd"),
    # Namespaces and mounts of its own.
    *("unshare", "setns", "mount", "umount2", "pivot_root"),
    *("move_mount", "open_tree", "fsopen", "fsmount"),
)


@dataclass(frozen=True)
class _Architecture:
    """Numbers of one kind of processor: the kernel's name for it and those of its calls."""

    audit: int
    clone: int
    socket: int
    refused: tuple[int, ...]
    """In the order of ``_NAMES``."""


_CLONE3 = 435
"""The same everywhere, as of all calls since 2019."""

_ARCHITECTURES = {
    "x86_64": _Architecture(
        audit=0xC000003E,
        clone=56,
        socket=41,
        refused=(
            *(101, 310, 311, 298, 321),
            *(29, 68, 64, 319, 447),
            *(250, 248, 249),
            *(425, 323),
            *(272, 308, 165, 166, 155),
            *(429, 428, 430, 432),
        ),
    ),
    "aarch64": _Architecture(
        audit=0xC00000B7,
        clone=220,
        socket=198,
        refused=(
            *(117, 270, 271, 241, 280),
            *(194, 186, 190, 279, 447),
            *(219, 217, 218),
            *(425, 282),
            *(97, 268, 40, 39, 41),
            *(429, 428, 430, 432),
        ),
    ),
}


def program(machine: str | None = None) -> bytes:
    """The filter for ``machine`` (this one by default), as ``bwrap --seccomp`` reads it.

    Raises SandboxError for a processor whose system calls are not known here.
    """
    machine = machine or platform.machine()
    architecture = _ARCHITECTURES.get(machine)
    if architecture is None:
        raise SandboxError(
            f"Programs cannot be confined on a processor of the kind {machine}.",
            f"Execute them on one of these: {', '.join(_ARCHITECTURES)}.",
        )
    return b"".join(_instructions(architecture))


def _instructions(architecture: _Architecture) -> Iterator[bytes]:
    """Each test skips what follows where it does not hold."""
    yield _instruction(_LOAD, _ARCHITECTURE)
    yield _instruction(_EQUALS, architecture.audit, skip_if=1)
    yield _instruction(_RETURN, _KILL)
    yield _instruction(_LOAD, _NUMBER)
    yield _instruction(_AT_LEAST, _X32, skip_unless=1)
    yield _refusal(errno.EPERM)
    for number in architecture.refused:
        yield _instruction(_EQUALS, number, skip_unless=1)
        yield _refusal(errno.EPERM)
    # Its flags lie in memory, where a filter cannot look; without it libraries take clone.
    yield _instruction(_EQUALS, _CLONE3, skip_unless=1)
    yield _refusal(errno.ENOSYS)
    yield _instruction(_EQUALS, architecture.clone, skip_unless=4)
    yield _instruction(_LOAD, _ARGUMENT)
    yield _instruction(_ANY_BIT, _NEW_USER_NAMESPACE, skip_unless=1)
    yield _refusal(errno.EPERM)
    yield _instruction(_RETURN, _ALLOW)
    yield _instruction(_EQUALS, architecture.socket, skip_unless=2 + 2 * len(_SOCKET_FAMILIES))
    yield _instruction(_LOAD, _ARGUMENT)
    for family in _SOCKET_FAMILIES:
        yield _instruction(_EQUALS, family, skip_unless=1)
        yield _instruction(_RETURN, _ALLOW)
    yield _refusal(errno.EAFNOSUPPORT)
    yield _instruction(_RETURN, _ALLOW)


def _refusal(number: int) -> bytes:
    return _instruction(_RETURN, _ERRNO | number)


def _instruction(code: int, value: int, *, skip_if: int = 0, skip_unless: int = 0) -> bytes:
    """One ``struct sock_filter``."""
    return struct.pack("=HBBI", code, skip_if, skip_unless, value)
