"""Checks what a release consists of, and tries it where this repository cannot be seen.

`nox -s release` builds the files into `dist/` and runs this. Each check raises `Failure` with a
sentence that says what is wrong; what was checked is printed line by line.
"""

from __future__ import annotations

import argparse
import email.parser
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "server"))

from surefill import __version__  # noqa: E402 - of this tree, whatever is installed

LICENCE = (ROOT / "LICENSE").read_bytes()
IN_EXTENSION = {
    "package.json",
    "readme.md",
    "changelog.md",
    "LICENSE.txt",
    "dist/extension.js",
    "dist/THIRD-PARTY-NOTICES.txt",
}
"""Files of the extension beside those in `media/`. vsce gives some of them these names."""
SAMPLE = "import logging\n\nlogger = \n"
LOADS = """
const { Module } = require("node:module");
const load = Module._load;
// The editor's own module exists in the editor alone; whatever is asked of it is a class here.
const editor = new Proxy({}, { get: () => class {} });
Module._load = (name, ...rest) => (name === "vscode" ? editor : load(name, ...rest));
const extension = require(process.argv[1]);
if (typeof extension.activate !== "function") process.exit(1);
"""


class Failure(Exception):
    """What is released is not as it has to be."""


@dataclass(frozen=True)
class Distribution:
    """One of the two Python distributions."""

    folder: str
    name: str
    package: str

    @property
    def wheel(self) -> str:
        return f"{self.package}-{__version__}-py3-none-any.whl"

    @property
    def sdist(self) -> str:
        return f"{self.package}-{__version__}.tar.gz"

    def sources(self) -> dict[str, bytes]:
        """The files of the distribution that git tracks, by their path in its folder."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "."],
            cwd=ROOT / self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        names = [name for name in listed.stdout.split("\0") if name]
        return {name: (ROOT / self.folder / name).read_bytes() for name in names}


SERVER = Distribution("server", "surefill", "surefill")
TRAINING = Distribution("training", "surefill-training", "surefill_training")
EXTENSION = f"surefill-{__version__}.vsix"


def main() -> int:
    """Check the folder; the exit status is 1 with a sentence when something is wrong."""
    parser = argparse.ArgumentParser(description="Check the files of a release.")
    parser.add_argument("folder", type=Path, help="where they were built")
    parser.add_argument(
        "--without-training-install",
        action="store_true",
        help="do not install training, which pulls torch; all else of it is checked",
    )
    parser.add_argument("--torch", default="torch", help="what pip installs torch as")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    try:
        for distribution in (SERVER, TRAINING):
            check_distribution(folder, distribution)
        if (folder / EXTENSION).exists():
            check_extension(folder / EXTENSION)
        else:
            say(f"{EXTENSION}: not there, not checked")
        check_nothing_else(folder)
        install_server(folder)
        if arguments.without_training_install:
            say(f"{TRAINING.wheel}: not installed, as asked")
        else:
            install_training(folder, arguments.torch)
    except Failure as failure:
        sys.stderr.write(f"release: {failure}\n")
        return 1
    write_sums(folder)
    return 0


def say(text: str) -> None:
    print(text, flush=True)


def check_distribution(folder: Path, distribution: Distribution) -> None:
    """Wheel and source distribution: licence, metadata, contents, and that one makes the other."""
    sources = distribution.sources()
    wheel = read_wheel(folder / distribution.wheel)
    check_wheel(distribution, wheel, sources)
    say(f"{distribution.wheel}: licence, metadata and {len(wheel)} files are right")
    sdist = read_sdist(folder / distribution.sdist)
    check_sdist(distribution, sdist, sources)
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", temporary]
        run([*command, str(folder / distribution.sdist)], Path(temporary))
        again = read_wheel(Path(temporary) / distribution.wheel)
    record = {name for name in wheel if name.endswith("/RECORD")}
    if {n: b for n, b in again.items() if n not in record} != {
        n: b for n, b in wheel.items() if n not in record
    }:
        raise Failure(f"{distribution.sdist} does not make the wheel that was built.")
    say(f"{distribution.sdist}: licence, metadata and contents are right; it makes the same wheel")


def read_wheel(path: Path) -> dict[str, bytes]:
    return dict(_zipped(path))


def _zipped(path: Path) -> Iterator[tuple[str, bytes]]:
    if not path.exists():
        raise Failure(f"{path.name} was not built.")
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                yield name, archive.read(name)


def read_sdist(path: Path) -> dict[str, bytes]:
    """The files of a source distribution, by their path in its one folder."""
    if not path.exists():
        raise Failure(f"{path.name} was not built.")
    top = path.name.removesuffix(".tar.gz")
    found = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            if not member.isfile():
                raise Failure(f"{path.name} has {member.name}, which is no plain file.")
            content = archive.extractfile(member)
            assert content is not None
            found[str(PurePosixPath(member.name).relative_to(top))] = content.read()
    return found


def check_wheel(
    distribution: Distribution, wheel: Mapping[str, bytes], sources: Mapping[str, bytes]
) -> None:
    """The wheel has exactly the package's files, and what describes them."""
    about = f"{distribution.package}-{__version__}.dist-info"
    wanted = {n: b for n, b in sources.items() if n.startswith(f"{distribution.package}/")}
    check_same(distribution.wheel, wanted, {n: b for n, b in wheel.items() if about not in n})
    described = {n.removeprefix(f"{about}/") for n in wheel if n.startswith(about)}
    if described != {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}:
        raise Failure(f"{distribution.wheel} is described by {sorted(described)}.")
    if wheel[f"{about}/licenses/LICENSE"] != LICENCE:
        raise Failure(f"The licence in {distribution.wheel} is not the repository's.")
    check_metadata(distribution, wheel[f"{about}/METADATA"])
    if distribution is SERVER:
        check_bundle(wheel)


def check_sdist(
    distribution: Distribution, sdist: Mapping[str, bytes], sources: Mapping[str, bytes]
) -> None:
    """The source distribution has what git has in its folder, and its metadata."""
    made = {"PKG-INFO", ".gitignore"}
    check_same(distribution.sdist, sources, {n: b for n, b in sdist.items() if n not in made})
    if sdist["LICENSE"] != LICENCE:
        raise Failure(f"The licence in {distribution.sdist} is not the repository's.")
    check_metadata(distribution, sdist["PKG-INFO"])


def check_same(file: str, wanted: Mapping[str, bytes], found: Mapping[str, bytes]) -> None:
    missing, surplus = sorted(wanted.keys() - found), sorted(found.keys() - wanted)
    if missing:
        raise Failure(f"{file} lacks {', '.join(missing[:5])}.")
    if surplus:
        raise Failure(f"{file} has {', '.join(surplus[:5])}, which git does not track.")
    other = sorted(name for name in wanted if wanted[name] != found[name])
    if other:
        raise Failure(f"{file} has another {', '.join(other[:5])} than the repository.")


def check_metadata(distribution: Distribution, raw: bytes) -> None:
    """Name, version and licence, and no address or person that nobody has filled in."""
    metadata: Message = email.parser.BytesParser().parsebytes(raw)
    wanted = {
        "Name": distribution.name,
        "Version": __version__,
        "License-Expression": "Apache-2.0",
        "Requires-Python": ">=3.11",
    }
    for key, value in wanted.items():
        if metadata[key] != value:
            raise Failure(f"{distribution.name}: {key} is {metadata[key]}, not {value}.")
    if not metadata["Summary"] or not metadata.get_payload():
        raise Failure(f"{distribution.name} has no summary or no description.")
    pinned = f"surefill[cpu]=={__version__}"
    if distribution is TRAINING and pinned not in metadata.get_all("Requires-Dist", []):
        raise Failure(f"{distribution.name} does not require {pinned}.")
    for address in metadata.get_all("Project-URL", []):
        if "example." in address or "TODO" in address:
            raise Failure(f"{distribution.name} names {address}, which is no address.")


def check_bundle(wheel: Mapping[str, bytes]) -> None:
    """The default bundle is whole: each file has the hash that the manifest says."""
    folder = "surefill/bundles/default"
    manifest = json.loads(wheel[f"{folder}/bundle.json"])
    for name, wanted in manifest["files"].items():
        content = wheel.get(f"{folder}/{name}")
        if content is None or hashlib.sha256(content).hexdigest() != wanted:
            raise Failure(f"{name} of the default bundle is not what its manifest says.")


def check_extension(path: Path) -> None:
    """The extension has what it needs and nothing else, and its entry point loads."""
    inside = {
        name.removeprefix("extension/"): content
        for name, content in _zipped(path)
        if name.startswith("extension/")
    }
    found = {name for name in inside if not name.startswith("media/")}
    if found != IN_EXTENSION:
        raise Failure(f"{path.name} differs in {sorted(found ^ IN_EXTENSION)}.")
    for name in (n for n in inside if n.startswith("media/")):
        if inside[name] != (ROOT / "vscode-client" / name).read_bytes():
            raise Failure(f"{path.name} has another {name} than the repository.")
    if inside["LICENSE.txt"] != LICENCE:
        raise Failure(f"The licence in {path.name} is not the repository's.")
    manifest = json.loads(inside["package.json"])
    if (manifest["version"], manifest["license"]) != (__version__, "Apache-2.0"):
        raise Failure(f"{path.name} says {manifest['version']}, {manifest['license']}.")
    with tempfile.TemporaryDirectory() as temporary:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(temporary)
        main_file = Path(temporary, "extension", manifest["main"])
        run(["node", "-e", LOADS, str(main_file)], Path(temporary))
    say(f"{path.name}: licence, manifest and {len(inside)} files are right; it loads")


def check_nothing_else(folder: Path) -> None:
    known = {each for one in (SERVER, TRAINING) for each in (one.wheel, one.sdist)}
    surplus = {each.name for each in folder.iterdir()} - known - {EXTENSION, "SHA256SUMS"}
    if surplus:
        raise Failure(f"{folder.name} has {', '.join(sorted(surplus))} as well: remove it.")


def install_server(folder: Path) -> None:
    """The server in an environment of its own: it completes a file with the default model."""
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        programs = make_environment(here / "env", f"{folder / SERVER.wheel}[cpu]")
        check_place(programs, "surefill", here)
        (here / "sample.py").write_text(SAMPLE, encoding="utf-8")
        command = [str(programs / "surefill"), "complete", "sample.py", "--at", "3:10"]
        answer = json.loads(run([*command, "--explicit", "--json"], here))
        if not answer["items"]:
            raise Failure("The installed server suggests nothing.")
        version = run([str(programs / "surefill"), "--version"], here).split()[-1]
        if version != __version__:
            raise Failure(f"The installed server says that it is {version}.")
    say(f"{SERVER.wheel}: installed into an empty environment, it completes with its own model")


def install_training(folder: Path, torch: str) -> None:
    """Training in an environment of its own, with the server that is released beside it."""
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        server, training = folder / SERVER.wheel, folder / TRAINING.wheel
        programs = make_environment(here / "env", torch, f"{server}[cpu]", str(training))
        check_place(programs, "surefill_training", here)
        run([str(programs / "surefill-train"), "--help"], here)
        version = run([str(programs / "surefill-train"), "--version"], here).split()[-1]
        if version != __version__:
            raise Failure(f"The installed training says that it is {version}.")
    say(f"{TRAINING.wheel}: installed into an empty environment, it starts")


def make_environment(folder: Path, *requirements: str) -> Path:
    """An empty virtual environment with ``requirements``; returns where its programs are."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    for requirement in requirements:
        run([str(programs / "python"), "-m", "pip", "install", "--quiet", requirement], folder)
    return programs


def check_place(programs: Path, package: str, here: Path) -> None:
    """What is imported is what was installed, not this repository."""
    code = f"import {package}; print({package}.__file__)"
    place = run([str(programs / "python"), "-c", code], here).strip()
    if not Path(place).resolve().is_relative_to(programs.parent.resolve()):
        raise Failure(f"{package} was imported from {place}, not from where it was installed.")


def run(command: list[str], folder: Path) -> str:
    """What a program prints, run in ``folder`` without what leads to this repository."""
    hidden = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    if shutil.which(command[0]) is None:
        raise Failure(f"{command[0]} is needed for this check, and not installed.")
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-15:]
        raise Failure("\n".join([f"`{' '.join(command[:5])}` failed:", *said]))
    return done.stdout


def write_sums(folder: Path) -> None:
    """`SHA256SUMS`, as `sha256sum -c` reads it."""
    files = sorted(each for each in folder.iterdir() if each.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    say(f"SHA256SUMS: {len(files)} files")


if __name__ == "__main__":
    sys.exit(main())
