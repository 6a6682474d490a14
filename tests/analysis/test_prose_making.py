"""Descriptions by a model: on the questions' look, grounded in what is known, asked again once, never nonsense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extend.analysis.making import Picture, Workplace
from lib_extend.analysis.pipeline import Analysed, Pipeline
from lib_extend.captions.prose_asking import Wishes
from lib_extend.models.ports import Vlm
from lib_extend.models.vlms.server_model import connect
from lib_extend.parts.part_table import makers
from lib_extend.questions.builtin import BUILTIN
from lib_extend.records import Box, Person, Prose, Tag
from tests.vlm_server import VlmServer

TAGS = (
    Tag("2girls", score=0.99),
    Tag("cake", score=0.9),
    Tag("black_hair", score=0.8),
    Tag("white_hair", score=0.8),
)
PERSONS = (
    Person(
        "",
        Box(0, 0, 30, 60),
        0.9,
        (Tag("1girl", score=0.9), Tag("black_hair", score=0.9), Tag("smile", score=0.8)),
    ),
    Person(
        "",
        Box(34, 0, 64, 60),
        0.9,
        (Tag("1girl", score=0.9), Tag("white_hair", score=0.9), Tag("hat", score=0.8)),
    ),
)
ANSWERS = {
    "How many cakes": {"2": 0.9, "3": 0.1},
    "What color is the cake": {"red": 1.0},
    "Is there a": {"no": 1.0},
}
RIGHT = "A girl with black hair stands left of a girl with white hair. There are two red cakes."
WRONG = "A girl with white hair stands left of a girl with black hair. There are two red cakes."

Described = Callable[..., Analysed]


def described(vlm: Vlm, tmp_path: Path, **settings: Any) -> Analysed:
    """One picture through the pipeline, its tags and persons known."""
    Image.new("RGB", (64, 64), "white").save(tmp_path / "p.png")
    place = Workplace(vlm=vlm, questions=BUILTIN, **settings)
    found: list[Any] = []
    pipeline = Pipeline(makers(place), found.append, threads=1)
    known = {"tags": TAGS, "persons": PERSONS}
    pipeline.submit(Picture("1", str(tmp_path / "p.png"), frozenset({"answers", "prose"}), known))
    while pipeline.open:
        pass
    pipeline.close()
    assert isinstance(found[0], Analysed)
    return found[0]


def served(
    replies: Mapping[str, Mapping[str, float]], tmp_path: Path, **settings: Any
) -> tuple[Analysed, list[str]]:
    """What became of the picture at a server that replies so, and the texts of all requests for a description."""
    with VlmServer(answers={**replies, **ANSWERS}) as server:
        vlm = connect(server.url)
        try:
            got = described(vlm, tmp_path, **settings)
        finally:
            vlm.close()
        texts = [r["messages"][-1]["content"][1]["text"] for r in server.requests]
    return got, [t for t in texts if t.startswith("Describe")]


def test_a_description_is_grounded_in_all_that_is_known(tmp_path: Path) -> None:
    wishes = Wishes("short", "Write soberly.", "mychar", ("cute",))
    got, asked = served({"Describe": {f"mychar: {RIGHT}": 1.0}}, tmp_path, prose=wishes)
    assert got.parts["prose"] == Prose(f"mychar: {RIGHT}", "server-seer-2b-1-1048576")
    assert asked == [
        "Describe the image in plain sentences. Write one sentence. Mention: 2girls; on the left: girl, black hair, smile; "
        "on the right: girl, white hair, hat; 2 red cakes. Write soberly. Call the subject “mychar”. Do not use these "
        "words: cute. Answer with the description alone."
    ]


def test_a_wrong_description_is_asked_for_again_once(tmp_path: Path) -> None:
    got, asked = served({"Correct this": {RIGHT: 1.0}, "Describe": {WRONG: 1.0}}, tmp_path)
    assert got.parts["prose"].text == RIGHT and got.parts["prose"].asked == 2
    assert "Correct this: the girl with white hair is not left of the girl with black hair." in asked[1]
    worse = WRONG.replace("two red", "five blue")
    got, asked = served({"Correct this": {worse: 1.0}, "Describe": {WRONG: 1.0}}, tmp_path)
    assert got.parts["prose"].text == WRONG and len(asked) == 2, "of two wrong ones the one with less wrong"


LOOP = "There are two red cakes. " * 30
UNENDING = "two red cakes and " * 200


@pytest.mark.parametrize(
    ("reply", "text", "code"),
    [
        (LOOP, "There are two red cakes.", ""),
        (f"{RIGHT} {RIGHT} Mr. A and Mr. B smile.", f"{RIGHT} Mr. A and Mr. B smile.", ""),
        (f"{RIGHT} The second {UNENDING}", RIGHT, ""),
        (UNENDING, "", "prose_endless"),
        ("!!!", "", "prose_empty"),
        ("I'm sorry, but I cannot describe this image.", "", "prose_refused"),
        (f"Sure! Here is the description:\n\n**{RIGHT}**", RIGHT, ""),
    ],
)
def test_what_is_no_description_is_none(reply: str, text: str, code: str, tmp_path: Path) -> None:
    got, _ = served({"Describe": {reply: 1.0}}, tmp_path)
    assert got.parts["answers"], "the questions' answers are there all the same"
    if text:
        assert got.parts["prose"].text == text
    else:
        assert "prose" not in got.parts
        assert (got.unmade["prose"].code, got.unmade["prose"].everywhere) == (code, False)
        assert got.unmade["prose"].reason.endswith(", twice.")


def test_an_empty_answer_is_asked_for_again(tmp_path: Path) -> None:
    got, asked = served({"at least one sentence": {RIGHT: 1.0}, "Describe": {" ": 1.0}}, tmp_path)
    assert got.parts["prose"].text == RIGHT and len(asked) == 2


def test_a_blind_model_is_the_models_trouble(tmp_path: Path) -> None:
    got, _ = served({"Describe": {"I cannot see any image.": 1.0}}, tmp_path)
    assert (got.unmade["prose"].code, got.unmade["prose"].everywhere) == ("model_blind", True)


def test_questions_and_description_share_one_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from lib_extend.models.vlms.local import LocalVlm
    from lib_extend.models.vlms.prefix import PrefixEngine
    from lib_extend.sketch.score_table import SHIPPED

    seen = []
    encode = PrefixEngine.encode
    monkeypatch.setattr(PrefixEngine, "encode", lambda self, p: seen.append(len(p)) or encode(self, p))
    vlm = LocalVlm(SHIPPED / "vlm", device="cpu")
    got = described(vlm, tmp_path)
    vlm.close()
    assert seen == [1], "the picture is encoded once for all"
    assert got.parts["answers"] and ("prose" in got.parts or got.unmade["prose"].code)
