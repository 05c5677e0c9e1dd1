import io
import subprocess
import sys

from surefill.lsp.transport import FrameWriter


def test_a_writer_whose_reader_is_gone_says_so_once():
    class Gone(io.BytesIO):
        def write(self, data):
            raise BrokenPipeError

    lost = []
    writer = FrameWriter(Gone(), on_lost=lambda: lost.append(1))
    writer.write(b"a")
    writer.write(b"b")
    assert lost == [1]


def test_claimed_stdout_carries_only_the_protocol():
    script = """
import os, subprocess, sys
from surefill.lsp.transport import claim_stdio
stream_in, stream_out = claim_stdio()
print("printed")
os.write(1, b"native\\n")
subprocess.run([sys.executable, "-c", "print('child', len(input.__self__.open(0).read()))"])
stream_out.write(b"protocol " + stream_in.read()); stream_out.flush()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], input=b"question", capture_output=True, check=True
    )
    assert done.stdout == b"protocol question"
    for line in (b"printed", b"native", b"child 0"):
        assert line in done.stderr
