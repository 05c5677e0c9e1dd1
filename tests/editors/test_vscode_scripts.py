"""The extension's lint, types and tests of its own, with the Node that the workbench runs on."""

import sys

import pytest

from editors import code_server
from small_bundle import SMALL_BUNDLE


@pytest.mark.parametrize("script", ["check", "test"])
def test_what_needs_no_server_passes(script):
    code_server.run_script(script, PYTHONPATH="")  # as for a user who has no Surefill


def test_what_needs_a_server_passes():
    server = {"SUREFILL_PYTHON": sys.executable, "SUREFILL_BUNDLE": str(SMALL_BUNDLE)}
    code_server.run_script("test:server", **server)
