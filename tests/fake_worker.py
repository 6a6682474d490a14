"""A worker that speaks the real protocol and answers from the file's name: for tests of its parent.

`cake3-red.png` is tagged `1girl, cake`, counted 3 and colored red. Names: `fail…` cannot be analysed,
`slow…` takes ten seconds, `pair…` has two girls: one with black hair on the left, one with white hair and a hat;
`crowd…` has seven; of two taggers (`a,b`) each says its own; `thin…` is not asked about, and `blind…` neither, by the model's fault.
Pictures are described in a sentence, with one too many where the name has `wrong`. To a prompt it adds
`smile`. Each analysed path is appended to the file named by FAKE_WORKER_LOG.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lib_extend.expanding.expansion_request import ExpandedPrompt
from lib_extend.records import Answer, Box, Category, Person, Prose, Tag, Unmade
from lib_extend.tagger_agreement import Limits, merged
from lib_extend.worker.kinds import analyse_picture, expand_prompt
from lib_extend.worker.protocol import (
    VERSION,
    Done,
    Failed,
    Hello,
    Partial,
    Ready,
    Setup,
    Task,
    decode,
    encode,
)


def main() -> None:
    several = False
    send(Hello(version=VERSION, python=sys.version.split()[0], pid=os.getpid()))
    for line in sys.stdin.buffer:
        message = decode(line)
        if isinstance(message, Setup):
            has_tagger, has_vlm = message.tagger != "none", message.vlm != "none"
            send(
                Ready(
                    tagger_key=f"fake {message.tagger}" if has_tagger else "",
                    vlm_key=f"fake {message.vlm}" if has_vlm else "",
                    detector_key=""
                    if message.person_detector == "none"
                    else f"fake {message.person_detector}",
                    threshold=0.35 if has_tagger else None,
                    character_threshold=0.85 if has_tagger else None,
                    window=8,
                    taggers=SEVERAL if "," in message.tagger else {},
                )
            )
            several = "," in message.tagger
        elif isinstance(message, Task):
            send(answer(message, several=several))


SEVERAL = {"one": Limits(0.35, 0.85), "two": Limits(0.6, 0.85)}
"""The taggers of every list of taggers. The second one halves the score of all but smile, and knows no cake."""


def answer(task: Task, *, several: bool = False) -> Done | Failed:
    request = task.payload
    if isinstance(request, expand_prompt.Request):
        if request.expander == "fail":
            return Failed(task.id, "There is no expander called 'fail'.")
        drafts = [ExpandedPrompt(f"{request.text}, smile", ("smile",))] * request.drafts
        for number, draft in enumerate(drafts):
            send(Partial(task.id, task.kind, expand_prompt.DraftSoFar(number, draft, done=True)))
        return Done(task.id, task.kind, expand_prompt.Result(tuple(drafts), "cpu"))
    assert isinstance(request, analyse_picture.Request)
    log = os.environ.get("FAKE_WORKER_LOG")
    if log:
        with open(log, "ab") as f:
            f.write(os.fsencode(request.path) + b"\n")
    name = os.path.basename(request.path)
    if name.startswith("slow"):
        time.sleep(10)
    time.sleep(float(os.environ.get("FAKE_WORKER_DELAY", "0")))
    if name.startswith("fail"):
        return Failed(task.id, f"{name} cannot be read: copy it again.")
    found = re.match(r"([a-z]+)(\d+)-([a-z]+)", name)
    thing, count, color = found.groups() if found else ("cake", "1", "red")
    tags: Sequence[Tag] = (
        Tag("1girl", Category.GENERAL, 0.99),
        Tag("black_hair", Category.GENERAL, 0.9),
        Tag(thing, Category.GENERAL, 0.8),
        Tag("smile", Category.GENERAL, 0.5),
        Tag("hat", Category.GENERAL, 0.2),
        Tag("general", Category.RATING, 0.9),
    )
    if name.startswith(("pair", "crowd")):
        tags = tuple(Tag(n, Category.GENERAL, 0.9) for n in PAIR)
    answers = []
    if int(count) > 1:
        answers.append(Answer("count", thing, count, count, 0.9, f"{count}_{thing}s"))
    answers.append(Answer("color", thing, color, color, 0.8, f"{color}_{thing}"))
    if several:
        halved = tuple(
            t if t.name == "smile" else replace(t, score=(t.score or 0) / 2) for t in tags if t.name != thing
        )
        known = frozenset(t.name for t in tags)
        tags = merged({"one": tags, "two": halved}, {"one": known, "two": known - {thing}})
    made: dict[str, Any] = {"tags": tags, "answers": tuple(answers), "persons": persons(name)}
    told = int(count) + name.count("wrong")
    made["prose"] = Prose(f"A girl with black hair looks at {told} {color} {thing}s.", "fake")
    wanted = {part: value for part, value in made.items() if part in request.parts}
    unmade = {}
    if name.startswith(("thin", "blind")) and wanted.pop("answers", None) is not None:
        reason = "The model sees nothing." if name.startswith("blind") else f"{name} is too thin."
        unmade["answers"] = Unmade(reason, name.startswith("blind"))
    return Done(task.id, task.kind, analyse_picture.Result(64, 48, wanted, unmade))


PAIR = ("2girls", "multiple_girls", "black_hair", "white_hair", "hat", "smile", "indoors")


def persons(name: str) -> tuple[Person, ...]:
    """What is on each person's cut-out, left to right."""
    if name.startswith("crowd"):
        return tuple(Person("", Box(8 * i, 0, 8 * i + 7, 40), 0.9) for i in range(7))
    looks = [("1girl", "black_hair", "smile", "dress"), ("1girl", "white_hair", "hat", "smile", "indoors")]
    if not name.startswith("pair"):
        looks = [("1girl", "black_hair", "smile")]
    return tuple(
        Person("", Box(32 * i, 0, 32 * i + 30, 48), 0.9, tuple(Tag(t, Category.GENERAL, 0.9) for t in some))
        for i, some in enumerate(looks)
    )


def send(message: object) -> None:
    sys.stdout.buffer.write(encode(message))  # type: ignore[arg-type]
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
