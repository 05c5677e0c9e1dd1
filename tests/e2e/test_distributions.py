"""What is built to be installed elsewhere: both wheels, from the tree as it is."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from surefill.engine.bundle import Bundle, find_bundle

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["server", "training"])
def test_a_wheel_holds_the_licence_the_sources_and_the_default_bundle(folder, tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=ROOT / folder, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        packed = set(wheel.namelist())
        (licence,) = (each for each in packed if each.endswith(".dist-info/licenses/LICENSE"))
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    wanted = list((ROOT / folder).glob("surefill*/**/*.py"))
    if folder == "server":
        bundle = Bundle.load(find_bundle("default"), verify=False)
        wanted += [bundle.path / name for name in ("bundle.json", *bundle.manifest.files)]
    assert {each.relative_to(ROOT / folder).as_posix() for each in wanted} <= packed
