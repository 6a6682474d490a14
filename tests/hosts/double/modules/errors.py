"""Failures of extensions are written to the log and swallowed."""

import sys
import traceback


def report(message: str, *, exc_info: bool = False) -> None:
    for line in message.splitlines():
        print("***", line, file=sys.stderr)
    if exc_info:
        for line in traceback.format_exc().splitlines():
            print("   ", line, file=sys.stderr)
    print("---", file=sys.stderr, flush=True)
