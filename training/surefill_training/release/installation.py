"""Puts a bundle where the server finds it, so that at every moment one is there that works."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from surefill.engine.bundle import MANIFEST, Bundle, Manifest, find_bundle, user_bundles
from surefill.errors import BundleError
from surefill_training.errors import ReleaseError
from surefill_training.files import make_folder, write_atomically

_UNCHANGED = "The bundle that was there before is still there."


def default_place(manifest: Manifest) -> Path:
    """Where a bundle goes to become the default.

    In a checkout of Surefill that is the bundle that ships. An installed Surefill belongs to its
    installer, and the next upgrade would undo what is changed in it: there a bundle goes to the
    user's data directory under its own name, by which the setting "bundle" finds it.
    """
    if is_checkout():
        return find_bundle("default")
    if Path(manifest.name).name != manifest.name or manifest.name == "default":
        raise ReleaseError(
            f"The name {manifest.name!r} cannot be that of a folder of yours.",
            "Bundle it under another --name, or say where with --install.",
        )
    return user_bundles() / manifest.name


def is_checkout() -> bool:
    """Whether the running Surefill is a checkout rather than an installed package."""
    return (find_bundle("default").parents[2] / "pyproject.toml").is_file()


def install(bundle: Bundle, place: Path) -> None:
    """Copy ``bundle`` to ``place``, in the stead of what is there.

    The copy is verified beside it and then renamed; what was there is kept until the new one is
    verified in its place, and put back on any failure. Raises ReleaseError.
    """
    place = place.resolve()
    recover(place)
    if place.exists() and not (place / MANIFEST).is_file() and any(place.iterdir()):
        raise ReleaseError(f"{place} is not empty and not a bundle.", "Give another --install.")
    make_folder(place.parent)
    try:
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.new.") as scratch:
            new = Path(scratch) / "bundle"
            for name in (*bundle.manifest.files, MANIFEST):
                write_atomically(new / name, (bundle.path / name).read_bytes())
            Bundle.load(new)
            _swap(new, place)
    except (OSError, BundleError) as error:
        reason = error.message if isinstance(error, BundleError) else error.strerror or error
        raise ReleaseError(
            f"{bundle.manifest.name} could not be installed at {place} ({reason}).", _UNCHANGED
        ) from error


def recover(place: Path) -> None:
    """Undo an installation that was cut off, by a power failure say."""
    backup = _backup(place.resolve())
    if not backup.exists():
        return
    with contextlib.suppress(BundleError):
        Bundle.load(place)
        shutil.rmtree(backup)
        return
    _restore(backup, place)


def _swap(new: Path, place: Path) -> None:
    backup = _backup(place)
    if place.exists():
        place.rename(backup)
    try:
        new.rename(place)
        Bundle.load(place)
    except BaseException:
        if backup.exists():
            _restore(backup, place)
        else:
            shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(backup, ignore_errors=True)


def _restore(backup: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    backup.rename(place)


def _backup(place: Path) -> Path:
    return place.with_name(f".{place.name}.backup")
