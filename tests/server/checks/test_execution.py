"""Programs in the sandbox: how their ends are told, and that none gets out."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from surefill.budget import Deadline
from surefill.checks import bubblewrap, seccomp
from surefill.checks.execution import ExecutionResult, Limits, available, execute
from surefill.engine.interface import Cancellation
from surefill.errors import SandboxError


def bubblewrap_works() -> bool:
    """By itself, with nothing of ours: only then a test may fail."""
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc"]
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not bubblewrap_works(), reason="bubblewrap does not work here")

SERVER = Path(bubblewrap.__file__).parents[2]
SHORT = Limits(wall_seconds=1.0)


def output(code: str, **options: object) -> str:
    """What a program that has to succeed prints."""
    result = execute(code, **options)  # type: ignore[arg-type]
    assert result.outcome == "passed", result
    return result.stdout


def refused(code: str, *errors: str) -> None:
    """Each line of ``code`` has to fail with one of the ``errors``."""
    lines = code.strip().splitlines()
    program = "import ctypes, os, socket\n" + "\n".join(
        f"try:\n    {line}\n    print('no error')\nexcept Exception as e:\n"
        "    print(type(e).__name__, e.args)"
        for line in lines
    )
    for line, found in zip(lines, output(program).splitlines(), strict=True):
        assert found.startswith(errors), f"{line}: {found}"


def strangers(mark: str) -> list[str]:
    """Command lines of running processes that have ``mark`` in them."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                line = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if mark in line:
                found.append(line)
    return found


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user can read, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


# How ends are told.


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("", "passed", ""),
        ("assert 1 + 1 == 3, 'sum'", "failed", "AssertionError: sum"),
        ("import sys; sys.exit(7)", "failed", "exit status 7"),
        ("x = (", "failed", "SyntaxError: '(' was never closed"),
        ("import os; os.abort()", "crashed", "it was ended by SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "crashed", "it was ended by SIGSEGV"),
        ("def f(): f()\nf()", "failed", "RecursionError: maximum recursion depth exceeded"),
        ("bytearray(2**33)", "limit", "it used more than 512 MiB of memory"),
    ],
)
def test_each_end_has_its_outcome_and_reason(code: str, outcome: str, reason: str) -> None:
    result = execute(code)
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_program_gets_its_arguments_and_its_input() -> None:
    code = "import sys; print(sys.argv[1:], sys.stdin.read()); print('ärger', file=sys.stderr)"
    result = execute(code, argv=["-x", "ü b"], stdin="größer\n" * 100_000)
    assert result.outcome == "passed"
    assert result.stdout.endswith("größer\n" * 7_000 + "\n")
    assert result.stderr == "ärger\n"
    assert output("import sys; print(sys.argv)", argv=["a"]).strip() == "['/program/main.py', 'a']"
    with pytest.raises(SandboxError, match="argument"):
        execute("", argv=["a\0b"])


def test_the_first_lines_of_long_output_are_dropped() -> None:
    result = execute("for n in range(20_000): print(n, 'x' * 10)")
    assert result.outcome == "passed"
    assert result.stdout.endswith("19999 xxxxxxxxxx\n")
    assert len(result.stdout) <= 64 * 1024


def test_a_sandbox_is_available() -> None:
    assert available() is None


def test_installed_packages_can_be_imported() -> None:
    assert output("import pytest; print(pytest.__version__)").strip() == pytest.__version__


def test_a_deep_recursion_in_c_is_a_crash_of_the_program_alone() -> None:
    code = (
        "import sys; sys.setrecursionlimit(10**9)\nclass A:\n    def __repr__(s): return repr(s)\n"
    )
    assert execute(code + "repr(A())").outcome in ("crashed", "limit", "failed")


# Limits.


def test_an_endless_sleep_that_ignores_signals_is_ended() -> None:
    code = """
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
print('sleeping', flush=True)
while True: time.sleep(1)
"""
    result = execute(code, limits=SHORT)
    assert (result.outcome, result.reason) == ("timeout", "it ran longer than 1 seconds")
    assert result.stdout == "sleeping\n"


def test_an_endless_loop_is_ended_by_its_processor_time() -> None:
    result = execute("while True: pass", limits=Limits(wall_seconds=60, cpu_seconds=1))
    assert result.outcome == "timeout"
    assert "processor" in result.reason


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output_ends_the_program_and_fills_no_memory(stream: str) -> None:
    result = execute(f"import sys\nwhile True: sys.{stream}.write('x' * 10_000)")
    assert (result.outcome, result.reason) == ("limit", "it wrote more than 1 MiB")
    assert len(result.stdout) + len(result.stderr) <= 64 * 1024


def test_memory_of_many_processes_counts_together() -> None:
    code = """
import os, time
for _ in range(8):
    if os.fork() == 0: break
block = bytearray(os.urandom(2**20) * 60)
time.sleep(60)
"""
    result = execute(code, limits=Limits(memory=200 * 2**20, wall_seconds=30))
    assert (result.outcome, result.reason) == ("limit", "it used more than 200 MiB of memory")


def test_memory_that_processes_share_counts_once() -> None:
    code = """
import os, time
block = bytearray(100 * 2**20)
children = [os.fork() for _ in range(3)]
if all(children):
    for child in children: os.waitpid(child, 0)
else:
    time.sleep(0.5)
"""
    assert execute(code, limits=Limits(memory=250 * 2**20)).outcome == "passed"


def test_a_fork_bomb_does_not_grow() -> None:
    code = """
import os, time
print('forking', flush=True)
while True:
    try: os.fork()
    except OSError: time.sleep(0.05)
"""
    most, mark = 0, f"mark-{os.getpid()}"
    cancel = Cancellation()
    done: list[ExecutionResult] = []
    limits = Limits(processes=12, wall_seconds=1.5)
    thread = threading.Thread(
        target=lambda: done.append(execute(code, argv=[mark], limits=limits, cancel=cancel))
    )
    thread.start()
    while thread.is_alive():
        most = max(most, len(strangers(mark)))
        time.sleep(0.1)
    assert done[0].outcome in ("timeout", "limit")
    assert done[0].stdout == "forking\n"
    assert 5 < most <= 12 + 3  # with those of bubblewrap
    assert strangers(mark) == []


def test_threads_count_as_processes() -> None:
    code = """
import threading, time
try:
    for _ in range(50): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
except RuntimeError as error: print(error)
"""
    assert output(code, limits=Limits(processes=10)) == "can't start new thread\n"


def test_temporary_files_are_bounded() -> None:
    code = """
import errno, os
def fill(name):
    with open(name, 'wb', buffering=0) as file:
        while True: file.write(bytes(2**20))
for number in range(1000):
    try: fill(f'/tmp/{number}')
    except OSError as error:
        sizes = [os.path.getsize(f'/tmp/{name}') for name in range(number + 1)]
        print(errno.errorcode[error.errno], sum(sizes))
        if error.errno == errno.ENOSPC: break
"""
    lines = output(code, limits=Limits(file_size=2**20, temporary=3 * 2**20)).splitlines()
    assert lines[0] == f"EFBIG {2**20}"
    assert lines[-1] == f"ENOSPC {3 * 2**20}"


def test_many_small_files_are_too_many() -> None:
    code = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1"
    result = execute(code, limits=Limits(files=500, wall_seconds=30))
    assert (result.outcome, result.reason) == ("limit", "it made more than 500 files")


def test_open_files_are_bounded() -> None:
    code = "try:\n    a = [open('/dev/null') for _ in range(200)]\nexcept OSError as e: print(e)"
    assert "Too many open files" in output(code)


# Nothing gets out, and nothing gets in.


def test_a_server_on_this_machine_is_not_reached(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    attempts = f"""
socket.create_connection(('127.0.0.1', {port}), 2)
socket.create_connection(('192.0.2.1', 80), 2)
socket.getaddrinfo('example.org', 80)
"""
    refused(attempts, "ConnectionRefusedError", "OSError (101", "gaierror")
    with pytest.raises(BlockingIOError):
        listener.accept()
    # The host of a virtual machine, the kernel's own sockets, raw packets.
    refused("socket.socket(40, 1)\nsocket.socket(16, 3)\nsocket.socket(17, 3)", "OSError (97")


def test_abstract_sockets_of_this_machine_are_not_reached() -> None:
    name = f"\0surefill-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        refused(f"socket.socket(socket.AF_UNIX).connect({name!r})", "ConnectionRefusedError")


def test_files_of_this_machine_are_not_seen(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    paths = ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/run", "/var", "/sys", "/mnt"]
    paths += map(
        str, [secret, Path(__file__), bubblewrap.__file__, SERVER, Path.cwd() / "pyproject.toml"]
    )
    for name in (".bashrc", ".profile", ".ssh", ".config", ".cache", ".bash_history"):
        paths.append(str(Path.home() / name))
    # Where the interpreter itself lies there have to be its folders, with nothing else in them.
    around = {str(parent) for parent in Path(sys.prefix).parents}
    paths = [path for path in paths if path not in around]
    found = output(f"import os; print([p for p in {paths!r} if os.path.exists(p)])")
    assert found.strip() == "[]"


def test_nothing_can_be_written_but_temporary_files(tmp_path: Path) -> None:
    code = """
import os, sys, sysconfig
folders = {'/', '/usr', '/lib', '/usr/bin', '/dev', '/dev/shm', '/program', '/etc', '/proc'}
folders |= {'/proc/sys/kernel', '/proc/1/root/usr', '/proc/self/cwd/..', '/home', '/root', '/tmp'}
folders |= {sys.prefix, sys.base_prefix, os.path.dirname(sys.executable)}
for start in folders | {sysconfig.get_path('stdlib'), sysconfig.get_path('purelib')}:
    try: open(os.path.join(start, 'written'), 'w').close()
    except OSError: continue
    print(start)
for file in (__file__, sys.executable, '/etc/ld.so.cache', '/proc/sys/kernel/core_pattern'):
    try: open(file, 'a').close()
    except OSError: continue
    print(file)
try: os.chmod(sys.executable, 0o777)
except OSError: print('chmod refused')
"""
    assert output(code).split("\n") == ["/tmp", "chmod refused", ""]


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    code = f"""
import os
os.chdir('/tmp')
os.symlink({str(secret)!r}, 'a')
os.symlink('/proc/1/root' + {str(secret)!r}, 'b')
os.symlink('../' * 40 + {str(secret)!r}, 'c')
os.symlink('/usr/bin', 'd')
for name in 'abc':
    try: print(open(name).read())
    except OSError as error: print(error.errno)
try: open('d/evil', 'w')
except OSError as error: print(error.errno)
try: os.link('/etc/ld.so.cache', 'e')
except OSError as error: print(error.errno)
"""
    first, second, third, *others = output(code).split()
    assert {first, second, third} <= {"2", "13"}
    assert others[0] == "30"  # read-only
    assert others[1] in ("1", "13", "18")  # another file system, or not its own file


def test_the_environment_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUREFILL_TEST_SECRET", "do not tell")
    code = """
import glob, os
print(sorted(os.environ), os.getcwd(), os.uname().nodename)
for name in glob.glob('/proc/*/environ'):
    try: print(open(name).read())
    except OSError: pass
"""
    found = output(code)
    assert "SUREFILL_TEST_SECRET" not in found
    assert "do not tell" not in found
    assert found.splitlines()[0].endswith("'TMPDIR'] /tmp sandbox")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        code = "import os; print(len(os.listdir('/proc/self/fd')))"
        assert output(code).strip() == "4"  # three, and the one that lists them


def test_what_is_given_as_input_cannot_be_written_to() -> None:
    refused("os.write(0, b'x')\nos.truncate('/proc/self/fd/0', 100)", "PermissionError", "OSError")


def test_only_its_own_processes_are_seen_and_none_outside_can_be_ended() -> None:
    code = f"""
import os, signal
print(len([name for name in os.listdir('/proc') if name.isdecimal()]))
for pid in ({os.getpid()}, 1):
    try: os.kill(pid, signal.SIGKILL); print('sent')
    except OSError as error: print(error.errno)
print('alive')
"""
    count, outside, _, alive = output(code).split()
    assert int(count) == 2
    assert outside == "3"  # no such process
    assert alive == "alive"  # the first process of a sandbox does not die by a signal from within


def test_no_privilege_is_left() -> None:
    status = dict(
        line.split(":\t", 1)
        for line in output("print(open('/proc/self/status').read())").split("\n")
        if ":\t" in line
    )
    for kind in ("CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Uid"].split()[0] not in ("0", str(os.getuid()))
    assert output("import os; print(os.getsid(0) == 1 or os.getsid(0))").strip() == "True"


def test_system_calls_that_reach_out_are_refused() -> None:
    calls = (
        "c.ptrace(0, 0, 0, 0)",
        "c.shmget(0, 4096, 0o1600)",
        "c.unshare(0x10000000)",
        "c.mount(b'none', b'/tmp', b'tmpfs', 0, 0)",
        "c.memfd_create(b'x', 0)",
        "c.syscall(425, 1, 0)",  # io_uring_setup
        "c.syscall(56 if os.uname().machine == 'x86_64' else 220, 0x10000011, 0, 0, 0, 0)",
    )
    program = "import ctypes, os\nc = ctypes.CDLL(None, use_errno=True)\n" + "\n".join(
        f"print({call}, ctypes.get_errno())" for call in calls
    )
    assert output(program).splitlines() == ["-1 1"] * len(calls)
    refused("os.memfd_create('x')\nos.setuid(0)", "PermissionError (1", "OSError (22")


def test_filters_are_made_for_known_processors_only() -> None:
    assert len(seccomp.program("x86_64")) == len(seccomp.program("aarch64"))
    assert seccomp.program("x86_64") != seccomp.program("aarch64")
    with pytest.raises(SandboxError, match="riscv64"):
        seccomp.program("riscv64")


# Ends leave nothing.

DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {closing}
        time.sleep(600)
    os._exit(0)
os.wait()
{ending}
"""


@pytest.mark.parametrize("closing", ["pass", "os.closerange(0, 20)"])
@pytest.mark.parametrize(("ending", "outcome"), [("", "passed"), ("time.sleep(600)", "timeout")])
def test_background_processes_are_gone(closing: str, ending: str, outcome: str) -> None:
    mark = f"mark-{os.getpid()}"
    code = DAEMON.format(closing=closing, ending=ending)
    result = execute(code, argv=[mark], limits=SHORT if ending else Limits())
    assert result.outcome == outcome
    assert strangers(mark) == []


def test_no_descriptor_and_no_child_is_left_behind() -> None:
    execute("")
    before = set(Path("/proc/self/fd").iterdir())
    for code in ("", "1/0", "while True: print('x' * 1000)"):
        execute(code)
    assert set(Path("/proc/self/fd").iterdir()) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_cancelling_from_another_thread_ends_it() -> None:
    cancel = Cancellation()
    threading.Timer(0.5, cancel.cancel).start()
    result = execute("import time; time.sleep(600)", limits=Limits(wall_seconds=60), cancel=cancel)
    assert (result.outcome, result.reason) == ("cancelled", "it was cancelled")


def test_a_deadline_ends_it() -> None:
    cancel = Cancellation(Deadline.after(0.5))
    result = execute("import time; time.sleep(600)", limits=Limits(wall_seconds=60), cancel=cancel)
    assert (result.outcome, result.reason) == ("timeout", "there was no time left")


def test_the_program_ends_with_the_one_who_started_it() -> None:
    mark = f"mark-{os.getpid()}"
    script = (
        "import sys; from surefill.checks.execution import Limits, execute; "
        "execute('import time; time.sleep(600)', argv=[sys.argv[1]], limits=Limits(600))"
    )
    command = [sys.executable, "-c", script, mark]
    starter = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(SERVER)})
    wanted = "/program/main.py"
    while not any(wanted in line and "bwrap" not in line for line in strangers(mark)):
        assert starter.poll() is None
        time.sleep(0.05)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 10
    while strangers(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert strangers(mark) == []


def test_several_programs_run_at_a_time() -> None:
    results: dict[int, str] = {}

    def run(number: int) -> None:
        results[number] = execute(f"print({number})").stdout

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}\n" for number in range(4)}


# Where there is no sandbox.


def test_without_bubblewrap_nothing_is_executed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="is not installed"):
        execute("raise AssertionError")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="needs Linux"):
        execute("raise AssertionError")


def test_what_bubblewrap_complains_of_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxError, match="No permissions to create new namespace Allow user"):
        execute("raise AssertionError")
    fake.write_text("no program")
    with pytest.raises(SandboxError, match="bubblewrap could not be started"):
        execute("raise AssertionError")
    available.cache_clear()
    assert "could not be started" in str(available())
    monkeypatch.undo()
    available.cache_clear()
    assert available() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests have done it")
def test_it_holds_for_an_ordinary_user_too(shared_folder: Path) -> None:
    """Root gets another sandbox than others: the same attacks without privileges."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no interpreter that an ordinary user can start")
    package = shared_folder / "surefill"
    shutil.copytree(SERVER / "surefill" / "checks", package / "checks")
    shutil.copytree(SERVER / "surefill" / "engine", package / "engine")
    for name in ("__init__.py", "budget.py", "errors.py"):
        shutil.copy(SERVER / "surefill" / name, package)
    script = """
from surefill.checks.execution import Limits, available, execute
assert available() is None, available()
bomb = '''
import os, time
made = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60)
        made += 1
except OSError: print(made)
'''
print(execute(bomb, limits=Limits(processes=10)).stdout.strip())
hungry = "import os, time; [os.fork(), os.fork()]; b = bytearray(60 * 2**20); time.sleep(60)"
print(execute(hungry, limits=Limits(memory=200 * 2**20, wall_seconds=20)).outcome)
many = 'for n in range(10**7): open(f"/tmp/{n}", "w").close()'
print(execute(many, limits=Limits(files=500, wall_seconds=20)).reason)
print(execute('import os; print(os.getuid())').stdout.strip())
status = execute('print(open("/proc/self/status").read())').stdout
print([line for line in status.splitlines() if 'CapEff' in line])
"""
    done = subprocess.run(
        [python, "-B", "-c", script],
        env={"PYTHONPATH": str(shared_folder), "PATH": os.environ["PATH"]},
        cwd="/",
        user=12345,
        group=12345,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    forks, memory, files, user, capabilities = done.stdout.splitlines()
    assert 5 <= int(forks) <= 10
    assert memory == "limit"
    assert files == "it made more than 500 files"
    assert user == "65534"
    assert "0000000000000000" in capabilities
