import subprocess
import sys

import onnxruntime
import pytest

from surefill.engine.decode import open_engine
from surefill.engine.runtime import open_session, physical_cores
from surefill.engine.session import ModelSession
from surefill.errors import EngineError, RuntimeMissingError


def test_without_onnxruntime_one_sentence_says_what_to_install(bundles, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RuntimeMissingError) as caught:
        open_engine(bundles())
    assert 'pip install "surefill[cpu]"' in str(caught.value)
    assert '"surefill[gpu]"' in str(caught.value)


def test_importing_the_engine_does_not_import_heavy_libraries():
    code = (
        "import sys, surefill.engine.decode, surefill.engine.worker, surefill.engine.remote;"
        "print({'onnxruntime', 'tokenizers', 'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_processor_serves_and_says_why(bundles):
    assert ModelSession(bundles(), "cpu").provider_note == "Runs on the CPU, as set."


class GpuPackage:
    """onnxruntime-gpu: it lists CUDA, and its sessions have it only if the machine does."""

    def __init__(self, works: bool, listed: bool = True) -> None:
        self.works, self.listed = works, listed
        self.asked: list[str] = []

    def get_available_providers(self):
        return [*(["CUDAExecutionProvider"] if self.listed else []), "CPUExecutionProvider"]

    def preload_dlls(self):
        self.asked.append("preload")

    def SessionOptions(self):
        return onnxruntime.SessionOptions()

    def InferenceSession(self, path, options, providers):
        self.asked.extend(providers)
        session = type("Session", (), {})()
        session.get_providers = lambda: providers if self.works else ["CPUExecutionProvider"]
        return session


@pytest.mark.parametrize(
    ("works", "listed", "wish", "provider", "note"),
    [
        (True, True, "auto", "cuda", "GPU with CUDA"),
        (True, True, "cpu", "cpu", "as set"),
        (False, True, "auto", "cpu", "CUDA could not be started"),
        (False, True, "cuda", "cpu", "CUDA could not be started"),
        (False, False, "cuda", "cpu", "surefill[gpu]"),
        (False, False, "auto", "cpu", "has no CUDA"),
    ],
)
def test_cuda_counts_only_where_the_session_has_it(
    works, listed, wish, provider, note, monkeypatch, tmp_path
):
    package = GpuPackage(works, listed)
    monkeypatch.setitem(sys.modules, "onnxruntime", package)
    opened = open_session(tmp_path / "model.onnx", wish)
    assert opened.provider == provider
    assert note in opened.note
    assert ("preload" in package.asked) == (listed and wish != "cpu")


def test_threads_respect_affinity_and_quota(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0}, raising=False)
    assert physical_cores() == 1
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.setattr("surefill.engine.runtime._core_of", lambda cpu: ("0", str(cpu // 2)))
    monkeypatch.setattr("surefill.engine.runtime._cgroup_quota", lambda: None)
    assert physical_cores() == 32
    monkeypatch.setattr("surefill.engine.runtime._cgroup_quota", lambda: 3.5)
    assert physical_cores() == 3
    monkeypatch.setattr("surefill.engine.runtime._cgroup_quota", lambda: 0.5)
    assert physical_cores() == 1


def test_a_chunk_that_would_round_differently_is_refused(bundles):
    for chunk in (0, 4, 130):
        with pytest.raises(EngineError, match="multiple of 4"):
            ModelSession(bundles(), "cpu", chunk=chunk)
