"""Writing drafts with a model that only continues texts: what must not come is cut off and written again.

A continuation is taken tag by tag, sentence by sentence, up to the first that must not come; from there another one is
asked for, with another seed. What was taken is read once: servers keep it.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

from lib_extend.models.expanders.text_sources import TextSource
from lib_extend.models.expanders.written_draft import TAGS, Plan, Written
from lib_extend.prompt_expansion import Draft, Tell, Wish, heard

LEAST_CHUNK, CHUNK = 12, 96
"""Tokens that are asked for at once: few after a refusal, twice as many after each answer that was taken whole."""
ASKS = 400
"""Requests for one draft at the most."""
_STEP = 7919
"""Between the seeds of a draft's requests; the drafts' own are neighbours."""
_SENTENCE = re.compile(r".*?[.!?](?=\s|$)", re.DOTALL)
_SPECIAL = re.compile(r"<\|[a-z_]+\|>|</?s>")


def write_texts(source: TextSource, plan: Plan, wish: Wish, tell: Tell) -> list[Draft]:
    """As many drafts as wished. Raises ModelError."""
    lock = threading.Lock()

    def draft(number: int) -> Draft:
        def told(text: _Text) -> None:
            with lock:
                tell(number, text.draft(), not text.written.part)

        text = _Text(source, plan, wish, number)
        while text.written.part:
            text.go_on()
            told(text)
        return text.draft()

    if source.at_once == 1 or wish.drafts == 1:
        return [draft(number) for number in range(wish.drafts)]
    with ThreadPoolExecutor(min(source.at_once, wish.drafts), thread_name_prefix="drafts") as pool:
        return list(pool.map(draft, range(wish.drafts)))


class _Text:
    """One draft while it is written."""

    def __init__(self, source: TextSource, plan: Plan, wish: Wish, number: int) -> None:
        self._source, self._sampling = source, wish.sampling
        self._seed = wish.sampling.seed + number
        self.written = Written(plan, wish)
        self._whole = plan.prompt  # what is sent
        self._prose = ""
        self._asks = self._tries = 0
        self._chunk = 2 * LEAST_CHUNK
        self._left = wish.sampling.most_tokens

    def draft(self) -> Draft:
        return self.written.draft(self._prose)

    def go_on(self) -> None:
        """One more request, and what can be taken of its answer."""
        written = self.written
        most = min(self._chunk, self._left)
        if most <= 0 or self._asks >= ASKS:
            written.exhausted |= self._asks >= ASKS
            written.end(self._prose)
            return
        seed = self._seed + self._asks * _STEP
        self._asks += 1
        said, ended = self._source.complete(self._whole, self._sampling, seed, most, written.missing <= 0)
        said = _SPECIAL.sub("", said)
        before, tries = len(self._whole), self._tries
        part = written.part
        line, newline, _ = said.partition("\n")
        over = bool(newline) or ended
        if not line.strip() and newline and written.missing > 0:
            self._refuse()
        else:
            (self._take_tags if part == TAGS else self._take_prose)(line, over)
        self._left -= (len(self._whole) - before) // 4  # about four letters a token
        self._chunk = LEAST_CHUNK if self._tries > tries else min(CHUNK, 2 * self._chunk)
        if self._tries >= written.tries:
            written.exhausted = True
            self._lead_on()

    def _take_tags(self, line: str, over: bool) -> None:
        """Tags between commas; the last one counts where the model ended it."""
        written = self.written
        pieces = line.split(",")
        last = pieces.pop() if not over else None
        for piece in pieces:
            name = heard(piece)
            if not name:
                continue
            if written.refuses(name):
                self._refuse()
                return
            written.add(name)
            self._tries = 0
            self._whole += (
                f"{piece if piece.startswith(' ') or not self._whole.endswith(',') else ' ' + piece},"
            )
            if written.full:
                self._lead_on()
                return
        if last is not None and not pieces:
            if self._chunk >= CHUNK:
                self._refuse()  # no tag is as long
        elif over:
            if written.missing <= 0:
                self._lead_on()
            else:
                self._tries += 1

    def _take_prose(self, line: str, over: bool) -> None:
        written = self.written
        at = 0
        for match in _SENTENCE.finditer(line):
            sentence = match[0]
            if written.refuses_sentence(sentence.strip()):
                self._refuse()
                return
            at = match.end()
            self._prose += sentence
            self._whole += sentence
            written.sentences += 1
            self._tries = 0
            if written.full:
                self._lead_on()
                return
        if over:
            if written.missing <= 0:
                self._lead_on()
            else:
                self._tries += 1
        elif at == 0 and self._chunk >= CHUNK:
            self._refuse()  # no sentence is as long

    def _refuse(self) -> None:
        self.written.redrawn += 1
        self._tries += 1

    def _lead_on(self) -> None:
        lead = self.written.end_part(self._prose)
        self._prose, self._tries = "", 0
        if lead:
            self._whole = f"{self._whole.rstrip(' ,')}\n{lead}"
