"""Opens a graph with onnxruntime: which provider, how many threads, and why.

The only place that knows how onnxruntime is installed and configured.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from surefill.errors import EngineError, RuntimeMissingError

if TYPE_CHECKING:
    import onnxruntime as ort


@dataclass(frozen=True)
class Opened:
    """An ``onnxruntime.InferenceSession`` and where it runs."""

    session: ort.InferenceSession
    provider: Literal["cpu", "cuda"]
    note: str
    """One line: why it runs there."""


def open_session(
    model: Path,
    provider: Literal["auto", "cpu", "cuda"] = "auto",
    threads: int | None = None,
    *,
    for_cpu: bool = False,
) -> Opened:
    """Load ``model``; raises RuntimeMissingError without onnxruntime, EngineError if it fails.

    One that is made ``for_cpu`` runs there, whatever else there is.

    CUDA counts only if the session really has it: the GPU package lists the provider on machines
    without a GPU as well.
    """
    runtime = import_onnxruntime()
    if for_cpu:
        provider = "cpu"
    wish_cuda = provider != "cpu" and "CUDAExecutionProvider" in runtime.get_available_providers()
    if wish_cuda:
        runtime.preload_dlls()
    options = _options(runtime, threads)
    wanted = ["CUDAExecutionProvider"] if wish_cuda else []
    try:
        session = runtime.InferenceSession(
            str(model), options, providers=[*wanted, "CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises a dozen unrelated kinds
        raise EngineError(
            f"The model {model} cannot be loaded: {error}", "Make or download the bundle again."
        ) from error
    if "CUDAExecutionProvider" in session.get_providers():
        return Opened(session, "cuda", "Runs on the GPU with CUDA.")
    if for_cpu:
        return Opened(session, "cpu", "Runs on the CPU: its 8-bit products are made for it.")
    return Opened(session, "cpu", _why_cpu(provider, wish_cuda))


def import_onnxruntime() -> ModuleType:
    """The onnxruntime module; raises RuntimeMissingError saying what to install."""
    try:
        import onnxruntime  # optional, and too slow to import at start
    except ImportError as error:
        raise RuntimeMissingError(
            "The model needs onnxruntime, which is not installed.",
            'Install it: pip install "surefill[cpu]", or "surefill[gpu]" for an NVIDIA GPU.',
        ) from error
    module: ModuleType = onnxruntime
    return module


def physical_cores() -> int:
    """Physical cores that this process may use: within its affinity and its cgroup's quota."""
    allowed = (
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )
    cores = {_core_of(cpu) for cpu in allowed}
    quota = _cgroup_quota()
    return max(1, min(len(cores), int(quota) if quota else len(cores)))


def _options(runtime: ModuleType, threads: int | None) -> ort.SessionOptions:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads or physical_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads spin while the model runs, which halves its time, and rest between runs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if not _adds_products_exactly():
        # Other instructions, which are slower, and which no 8-bit product makes overflow.
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


@functools.cache
def _adds_products_exactly() -> bool:
    """Whether the processor is known to add 8-bit products in 32 bits: x86 does with VNNI or AMX.

    Older ones add pairs of them in 16 bits, which overflow.
    """
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return any(f" {flag}" in described for flag in ("avx512_vnni", "avx_vnni", "amx_int8"))


def _why_cpu(provider: str, wished_cuda: bool) -> str:
    if provider == "cpu":
        return "Runs on the CPU, as set."
    if wished_cuda:
        return "Runs on the CPU: CUDA could not be started (no GPU, driver or CUDA libraries)."
    if provider == "cuda":
        return 'Runs on the CPU: this onnxruntime has no CUDA; pip install "surefill[gpu]".'
    return "Runs on the CPU: this onnxruntime has no CUDA."


def _core_of(cpu: int) -> tuple[str, str]:
    """The physical core of a logical one; the logical one itself where that is not known."""
    topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
    try:
        package = (topology / "physical_package_id").read_text(encoding="ascii").strip()
        return package, (topology / "core_id").read_text(encoding="ascii").strip()
    except OSError:
        return "logical", str(cpu)


def _cgroup_quota() -> float | None:
    """CPUs that the cgroup (version 2 or 1) grants; None without a limit."""
    root = Path("/sys/fs/cgroup")
    try:
        if (root / "cpu.max").exists():
            quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text(encoding="ascii").strip()
        return None if quota in {"max", "-1"} else int(quota) / int(period)
    except (OSError, ValueError):
        return None
