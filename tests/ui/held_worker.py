"""A python for the worker that runs the real one and lets only so many of its results through.

The server starts it as `PROMPT_EXTEND_WORKER_PYTHON`; how many pictures may be answered stands in the file that
HELD_WORKER names ("all", or a number, counted from the worker's start). Everything else passes at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from lib_extend.worker.protocol import Done, Failed, decode


def main() -> int:
    command = [sys.executable, *sys.argv[1:]]
    if sys.argv[1:] != ["-m", "lib_extend.worker"]:
        return subprocess.call(command)  # a list of models and the like
    gate = Path(os.environ["HELD_WORKER"])
    worker = subprocess.Popen(command, stdin=sys.stdin, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    passed, parent = 0, os.getppid()
    for line in worker.stdout:
        if line.strip() and isinstance(decode(line), (Done, Failed)):
            passed += 1
            while not _open(gate, passed):
                time.sleep(0.02)
                if os.getppid() != parent:  # the server is gone
                    worker.kill()
                    return 1
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    return worker.wait()


def _open(gate: Path, number: int) -> bool:
    said = gate.read_text(encoding="ascii")
    return said == "all" or number <= int(said or 0)


if __name__ == "__main__":
    sys.exit(main())
