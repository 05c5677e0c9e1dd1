"""The command ``surefill``: parses arguments and calls the command that was named.

Commands are imported when they run, so that ``--help`` and the start of the server stay fast.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from surefill import __version__
from surefill.errors import InputError, SurefillError

_EPILOG = """\
First steps:
  surefill complete FILE --at LINE:COLUMN    see a suggestion in your own file
  surefill doctor                            what works on this machine, and what to do if not
  surefill lsp                               what an editor starts
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        status: int = _COMMANDS[arguments.command](arguments)
    except SurefillError as error:
        sys.stderr.write(f"surefill: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output (a pager, head) has left; that is no error of ours.
        sys.stderr.close()
        return 0
    return status


def build_parser() -> argparse.ArgumentParser:
    """The parser with all subcommands."""
    parser = argparse.ArgumentParser(
        prog="surefill",
        description="Code completion by a local model that shows only what it has checked.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_lsp(commands)
    _add_complete(commands)
    _add_doctor(commands)
    _add_bench(commands)
    return parser


_Commands = argparse._SubParsersAction  # the only name argparse has for it


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, help_: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=help_, description=help_, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )


def _add_lsp(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "lsp", "Serve an editor over stdin and stdout, or over TCP.")
    parser.add_argument(
        "--tcp",
        metavar="HOST:PORT",
        help="listen on TCP instead; a port alone means 127.0.0.1. There is no authentication: "
        "whoever can connect can ask.",
    )


def _add_complete(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "complete", "Complete a file at a position, as an editor would see it."
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="a source file in UTF-8")
    add("--at", required=True, metavar="LINE:COLUMN", help="the cursor, both counted from 1")
    add("-n", type=_positive, default=1, metavar="N", help="number of alternatives")
    add("--json", action="store_true", help="print JSON")
    add(
        "--explicit",
        action="store_true",
        help="ask as if by a key: also where a suggestion would not come by itself",
    )
    add("--language", metavar="ID", help="language id, where the file name does not tell")
    _add_model(parser)


def _add_doctor(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "doctor", "Check Python, runtime, model and grammars; say what to do."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_model(parser)


def _add_bench(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "bench", "Measure the latency and memory budgets with the real server."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--rounds", type=_positive, default=40, metavar="N", help="samples of each measure"
    )
    _add_model(parser)


def _add_model(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--bundle", default="default", metavar="NAME", help="name or folder of a model bundle")
    add("--provider", choices=("auto", "cpu", "cuda"), default="auto", help="where the model runs")
    add("--threads", type=int, default=0, metavar="N", help="0 chooses by the machine")


def _lsp(arguments: argparse.Namespace) -> int:
    from surefill.lsp.run import serve_stdio, serve_tcp

    if arguments.tcp is None:
        return serve_stdio()
    return serve_tcp(*parse_address(arguments.tcp))


def _complete(arguments: argparse.Namespace) -> int:
    from surefill.commands import complete

    result = complete.complete(
        arguments.file,
        complete.parse_position(arguments.at),
        n=arguments.n,
        explicit=arguments.explicit,
        language=arguments.language,
        settings=_settings(arguments),
    )
    if arguments.json:
        print(json.dumps(complete.as_json(result), indent=2))
    else:
        print(complete.as_text(result, color=sys.stdout.isatty()))
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from surefill.commands import doctor

    findings = doctor.examine(_settings(arguments))
    if arguments.json:
        print(json.dumps(doctor.as_json(findings), indent=2))
    else:
        print(doctor.as_text(findings))
    return int(any(finding.problem for finding in findings))


def _bench(arguments: argparse.Namespace) -> int:
    from surefill.commands import bench

    rows = bench.measure(
        _settings(arguments), arguments.rounds, lambda text: print(text, file=sys.stderr)
    )
    print(json.dumps(bench.as_json(rows), indent=2) if arguments.json else bench.as_text(rows))
    return 0


def _settings(arguments: argparse.Namespace) -> dict[str, object]:
    """Settings in the form in which an editor sends them."""
    return {
        "bundle": arguments.bundle,
        "engine": {"provider": arguments.provider, "threads": arguments.threads},
    }


def parse_address(text: str) -> tuple[str, int]:
    """``HOST:PORT``, ``:PORT`` or ``PORT``; raises InputError."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise InputError(f"{text!r} is not an address.", "Give HOST:PORT, as in 127.0.0.1:8765.")
    return host.strip("[]") or "127.0.0.1", int(port)


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be positive")
    return value


_COMMANDS = {"lsp": _lsp, "complete": _complete, "doctor": _doctor, "bench": _bench}
