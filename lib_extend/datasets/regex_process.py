"""The process in which a person's regular expressions run: it is ended when one takes too long.

Standard library only and nothing of ours, so that it starts in a few hundredths of a second. It reads JSON lines and
answers each that asks something with one line; it ends when its input does.

    {"texts": [[0, "a caption"], [1, "another"], ...]}            remember them by number
    {"search": "hair$", "among": "1f"}  ->  {"found": "11"}       bits of numbers, in hexadecimal
    {"replace": "(a+)", "by": "<\\1>", "whole": false, "in": ["b a"]}  ->  {"texts": ["b <a>"]}

`"seconds"` is the processor's time an answer may take; the process ends without one when it takes longer. What is wrong with an expression is answered by {"error": "missing ), unterminated subpattern"}.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import signal
import sys

PATIENCE = 10
"""Times longer that an answer may take on the clock: others may be using the processor."""

_CAPITAL = re.compile(r"(?:\\.)|([A-Z])", re.DOTALL)


def search(pattern: str, texts: list[str], among: int) -> int:
    """Bits of the texts (in lower case) among `among` in which `pattern` is found, without regard to case."""
    found = re.compile(pattern, re.IGNORECASE if ignores_case(pattern) else 0).search
    wanted = f"{among:b}"[::-1]
    bits = ["1" if w == "1" and found(t) else "0" for w, t in zip(wanted, texts)]  # noqa: B905
    return int("0" + "".join(reversed(bits)), 2)


def ignores_case(pattern: str) -> bool:
    """Whether it is searched by IGNORECASE: without capitals it finds the same in lower case, and far faster."""
    return any(m[1] for m in _CAPITAL.finditer(pattern))


def replaced(pattern: str, by: str, whole: bool, texts: list[str]) -> list[str]:
    """The texts with what matches replaced; `whole`: only where all of a text matches."""
    regex = re.compile(pattern, re.IGNORECASE)
    regex.sub(by, "")  # a group that is not there is an error even where nothing matches
    if not whole:
        return [regex.sub(by, text) for text in texts]
    result = []
    for text in texts:
        match = regex.fullmatch(text)
        result.append(match.expand(by) if match else text)
    return result


def _limit(seconds: float, nowhere: int) -> None:
    """End the process after so much of the processor's time, 0 for never. A search lets no other thread have a turn.

    Where the system cannot count that (Windows), and to be on the safe side, after that time on the clock.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        seconds *= PATIENCE
    if seconds:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
    else:
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    texts: list[str] = []
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "texts" in message:
            for number, text in message["texts"]:
                if number >= len(texts):
                    texts += [""] * (number + 1 - len(texts))
                texts[number] = text.lower()
            continue
        answer: dict[str, object]
        _limit(message["seconds"], nowhere)
        try:
            if "search" in message:
                found = search(message["search"], texts, int(message["among"], 16))
                answer = {"found": f"{found:x}"}
            else:
                by, whole = message["by"], message["whole"]
                answer = {"texts": replaced(message["replace"], by, whole, message["in"])}
        except (re.error, IndexError, OverflowError, RecursionError) as e:
            answer = {"error": str(e)}
        _limit(0, nowhere)
        sys.stdout.buffer.write(json.dumps(answer).encode("ascii") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
