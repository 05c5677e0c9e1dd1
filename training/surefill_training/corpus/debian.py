"""Source packages and development packages of Debian: fetched with apt, unpacked, licence read.

apt checks the archive's signatures. Nothing is built and nothing of a package runs: tar archives
are read here, and ``dpkg-deb`` only hands out the one inside a ``.deb``.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from surefill_training.corpus.archives import unpack
from surefill_training.corpus.debian_copyright import Copyright
from surefill_training.corpus.unpacked import Unpacked, may_be_source, placed
from surefill_training.errors import CorpusError

SUITE = "bookworm"
"""The release whose versions a list names."""
_MIRROR = "http://deb.debian.org/debian"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_COPYRIGHT = PurePosixPath("debian/copyright")


class Archive:
    """Debian's archive, by a configuration and lists of its own under ``folder``.

    So no right of the system's administrator is needed, nor that its sources are configured.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def fetch_source(self, name: str, version: str | None, into: Path) -> Unpacked:
        """Unpack the source package ``name`` into ``into``; what its ``debian/copyright`` says.

        Raises CorpusError where apt does not give it, or its copyright file cannot be judged.
        """
        with tempfile.TemporaryDirectory() as temporary:
            downloaded = Path(temporary)
            self._update()
            wanted = f"{name}={version}" if version else name
            self._apt(["source", "--download-only", "--only-source", wanted], downloaded, wanted)
            return unpack_source(sorted(downloaded.iterdir()), into, name)

    def fetch_binary(self, name: str, version: str | None, into: Path) -> Unpacked:
        """Unpack the sources in the binary package ``name``: headers, or a library of Go or Rust.

        Raises CorpusError where apt does not give it, or its copyright file cannot be judged.
        """
        with tempfile.TemporaryDirectory() as temporary:
            downloaded = Path(temporary)
            self._update()
            wanted = f"{name}={version}" if version else name
            self._apt(["download", wanted], downloaded, wanted)
            return unpack_binary(next(downloaded.glob("*.deb")), into, name)

    def _update(self) -> None:
        lists = self._folder / "lists"
        if any(lists.glob("*_Sources*")) and any(lists.glob("*_Packages*")):
            return
        for folder in (lists / "partial", self._folder / "parts", self._folder / "cache"):
            folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "parts" / "corpus.sources").write_text(
            f"Types: deb deb-src\nURIs: {_MIRROR}\nSuites: {SUITE}\nComponents: main\n"
            f"Signed-By: {_KEYRING}\n",
            encoding="utf-8",
        )
        self._apt(["update"], self._folder, "its list of packages")

    def _apt(self, arguments: Sequence[str], cwd: Path, wanted: str) -> None:
        places = {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self._folder / "parts",
            "Dir::State::lists": self._folder / "lists",
            "Dir::Cache": self._folder / "cache",
            # The folders belong to whoever calls, not to the account that apt would change to.
            "APT::Sandbox::User": "root",
        }
        options = [word for key, value in places.items() for word in ("-o", f"{key}={value}")]
        command = ["apt-get", "-qq", *options, *arguments]
        try:
            done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CorpusError(
                f"apt-get cannot be started ({error.strerror}).",
                "Build on Debian or Ubuntu, or leave out debian: lines.",
            ) from error
        if done.returncode != 0:
            errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            reason = errors[0].removeprefix("E:").strip() if errors else "apt gave no reason"
            raise CorpusError(
                f"Debian's {wanted} cannot be had ({reason}).",
                f"Check name and version (of {SUITE}) and the connection, or take it off the list.",
            )


def unpack_source(files: Sequence[Path], into: Path, name: str) -> Unpacked:
    """Unpack what makes a source package: ``.dsc``, upstream's archives, and Debian's additions.

    Raises CorpusError where ``debian/copyright`` cannot be judged.
    """
    archives = [file for file in files if ".tar." in file.name and file.suffix != ".asc"]
    for archive in archives:
        additions = ".debian.tar." in archive.name
        if additions:
            unpack(archive, into, _is_copyright)
        else:
            unpack(archive, into, _is_upstream, _placed)
    version = _version(files, name)
    texts = [into / _COPYRIGHT, *sorted(into.glob("*/debian/copyright"))]
    text = _text(next((file for file in texts if file.is_file()), texts[0]), name)
    judged = Copyright.parse(text, name)
    upstream = [path.relative_to(into) for path in into.rglob("*") if path.is_file()]
    left_out = [str(path) for path in upstream if not judged.allows(PurePosixPath(*path.parts[1:]))]
    return Unpacked(version, judged.license, tuple(sorted(left_out)))


def unpack_binary(package: Path, into: Path, name: str) -> Unpacked:
    """Unpack the sources in a ``.deb``; none of its scripts runs.

    Raises CorpusError where its copyright file cannot be judged, or names a licence for any of
    upstream's files that is not permissive: which installed files those became it does not say.
    """
    description = PurePosixPath("usr/share/doc", name, "copyright")
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        done = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(package)],
            stdout=archive,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise CorpusError(f"{package.name} is no package of Debian.", "Take it off the list.")
        unpack(
            Path(archive.name),
            into,
            lambda path: path == description or may_be_source(path),
            lambda path, content: path if path == description else placed(path, content),
        )
    judged = Copyright.parse(_text(into / description, name), name)
    refused = judged.refused()
    if refused:
        raise CorpusError(
            f"Parts of Debian's {name} are under {', '.join(refused)}.",
            "Take the package off the list.",
        )
    return Unpacked(_field(package, "Version"), judged.license)


def _field(package: Path, field: str) -> str:
    command = ["dpkg-deb", "--field", str(package), field]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CorpusError(
            f"Debian's {name} has no copyright file.", "Take the package off the list."
        ) from error


def _is_copyright(path: PurePosixPath) -> bool:
    return path == _COPYRIGHT


def _is_upstream(path: PurePosixPath) -> bool:
    inner = PurePosixPath(*path.parts[1:])
    return inner == _COPYRIGHT or (may_be_source(path) and inner.parts[:1] != ("debian",))


def _placed(path: PurePosixPath, content: bytes) -> PurePosixPath | None:
    return path if path.parts[1:] == _COPYRIGHT.parts else placed(path, content)


def _version(files: Sequence[Path], name: str) -> str:
    for file in files:
        if file.suffix == ".dsc":
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("Version:"):
                    return line.partition(":")[2].strip()
    raise CorpusError(f"Debian's {name} came without its description (.dsc).", "Fetch it again.")
