"""Pages of the site that live elsewhere in the repository, beside what they describe.

Every page links to files as they lie in the repository, so that links work where the repository is
read. Here a link to a page of the site becomes one within the site, a picture is taken along, and a
link to any other file of the repository becomes the file's path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "vscode-client/README.md": "editors/vscode.md",
    "neovim/README.md": "editors/neovim.md",
    "training/README.md": "training.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "RELEASING.md": "releasing.md",
    "SECURITY.md": "security.md",
}
PICTURES = ROOT / "vscode-client/media/pictures"
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^( *```.*?^ *```)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from elsewhere, and the pictures."""
    for source, target in ELSEWHERE.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    for picture in sorted(PICTURES.glob("*.png")):
        name = f"pictures/{picture.name}"
        files.append(File.generated(config, name, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make the links of a page lead to where the site has what they name."""
    here = PurePosixPath(page.file.src_uri)
    sources = {target: source for source, target in ELSEWHERE.items()}
    source = PurePosixPath(sources.get(page.file.src_uri, f"docs/{here}"))

    def moved(link: re.Match[str]) -> str:
        picture, text, path, anchor = link.groups()
        named = os.path.normpath(source.parent / path)
        if not (ROOT / named).exists():
            raise PluginError(f"{source} links to {named}, which does not exist.")
        target = _in_site(named)
        if target is None:
            return f"{text} (`{named}`)"
        return f"{picture}[{text}]({os.path.relpath(target, here.parent)}{anchor or ''})"

    # Every second part is a block of code, which stays as it is.
    parts = _FENCE.split(markdown)
    return "".join(
        part if number % 2 else _LINK.sub(moved, part) for number, part in enumerate(parts)
    )


def _in_site(named: str) -> str | None:
    """Where the site has a file of the repository; None where it has not."""
    if (ROOT / named).parent == PICTURES:
        return f"pictures/{Path(named).name}"
    if named.startswith("docs/"):
        inside = named.removeprefix("docs/")
        return f"{inside}/README.md" if (ROOT / named).is_dir() else inside
    return ELSEWHERE.get(named)
