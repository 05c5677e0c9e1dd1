"""Bundles for editors to serve and to change to: a small one, and copies of it by other names."""

import json
import shutil
from pathlib import Path

from small_bundle import SMALL_BUNDLE
from surefill.engine.bundle import MANIFEST, Bundle, find_bundle

SMALL = "nano"
"""The name of the small bundle in the data folder of a user who was given it."""


def name_of(bundle: str | Path) -> str:
    """What a bundle calls itself: the editors' status shows it."""
    return Bundle.load(find_bundle(bundle), verify=False).manifest.name


def give_bundle(home: Path, name: str) -> None:
    """Give the user whose files are below ``home`` a bundle that calls itself surefill-``name``."""
    folder = home / "data/surefill/bundles" / name
    shutil.copytree(SMALL_BUNDLE, folder)
    manifest = folder / MANIFEST
    told = {**json.loads(manifest.read_text()), "name": f"surefill-{name}"}
    manifest.write_text(json.dumps(told))
