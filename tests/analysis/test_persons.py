"""Persons in the pipeline: cut-outs without neighbours, batches across pictures, questions about one person."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_extend.analysis.annotating import annotate
from lib_extend.analysis.making import Picture, Workplace
from lib_extend.analysis.person_finder import CROWD, PersonFinder, cut_out
from lib_extend.analysis.pipeline import Analysed, NotAnalysed, Outcome, Pipeline
from lib_extend.parts.part_table import makers
from lib_extend.questions.asking import select
from lib_extend.questions.builtin import BUILTIN
from lib_extend.records import SCORE_FLOOR, Box, Detection, Person, Prompt, Reply, Tag

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 160, 0)
COLORS = {"red_hair": RED, "blue_hair": BLUE, "green_hair": GREEN}


@dataclass
class Detector:
    """Finds the bounding box of each color, in any size of picture."""

    batch: int = 2
    key: str = "d"
    side: int = 32
    device: str = "CPU"
    labels: tuple[str, ...] = ("person",)
    sizes: list[int] = field(default_factory=list)
    crowd: int = 0

    def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
        return np.asarray(image.convert("RGB").resize((self.side, self.side), Image.Resampling.NEAREST))

    def detect(
        self, batch: Sequence[np.ndarray[Any, Any]], sizes: Sequence[tuple[int, int]]
    ) -> list[list[Detection]]:
        self.sizes.append(len(batch))
        if self.crowd:
            boxes = [Box(i * 4, 0, i * 4 + 4, 30) for i in range(self.crowd)]
            return [[Detection(b, 0.9, "person") for b in boxes] for _ in batch]
        return [self._one(pixels, size) for pixels, size in zip(batch, sizes, strict=True)]

    def _one(self, pixels: np.ndarray[Any, Any], size: tuple[int, int]) -> list[Detection]:
        found = []
        for color in COLORS.values():
            rows, columns = np.nonzero((pixels == color).all(-1))
            if len(rows):
                across, down = size[0] / self.side, size[1] / self.side
                box = Box(
                    columns.min() * across,
                    rows.min() * down,
                    (columns.max() + 1) * across,
                    (rows.max() + 1) * down,
                )
                found.append(Detection(box, 0.9, "person"))
        return found

    def close(self) -> None: ...


@dataclass
class Tagger:
    """Scores each color by its share of the picture that is not white; red pictures wear a skirt."""

    batch: int = 3
    side: int = 16
    key: str = "t"
    device: str = "CPU"
    threshold: float = 0.35
    character_threshold: float = 0.85
    tag_thresholds: dict[str, float] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    fails_on: str = ""

    def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
        drawn = max(1, int((pixels != 255).any(-1).sum()))
        return np.array([(pixels == c).all(-1).sum() / drawn for c in COLORS.values()], np.float32)

    def tag(self, batch: Sequence[np.ndarray[Any, Any]], floor: float) -> list[list[Tag]]:
        assert floor == SCORE_FLOOR and 1 <= len(batch) <= self.batch
        self.sizes.append(len(batch))
        tagged = []
        for shares in batch:
            tags = [Tag(n, score=float(s)) for n, s in zip(COLORS, shares, strict=True) if s >= floor]
            if self.fails_on and [t.name for t in tags] == [self.fails_on]:
                raise RuntimeError("bad cut-out")
            if shares[0] > 0.5:
                tags.append(Tag("skirt", score=0.9))
            tagged.append(tags)
        return tagged

    def close(self) -> None: ...


@dataclass
class Vlm:
    """Answers `yellow` and remembers what it was shown."""

    pixels: int = 10_000
    parallel: int = 1
    key: str = "v"
    device: str = "CPU"
    shown: list[Image.Image] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def look(self, image: Image.Image) -> Vlm:
        self.shown.append(image)
        return self

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        self.asked += [p.text for p in prompts]
        return [Reply("yellow") for _ in prompts]

    def close(self) -> None: ...


def drawn(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (320, 320)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for color, (x0, y0, x1, y1) in zip(COLORS.values(), boxes, strict=False):
        pen.rectangle((x0, y0, x1 - 1, y1 - 1), fill=color)
    return image


def colors_in(image: Image.Image) -> set[tuple[int, int, int]]:
    pixels = np.asarray(image).reshape(-1, 3)
    return {tuple(int(v) for v in p) for p in np.unique(pixels, axis=0)} - {(255, 255, 255)}  # type: ignore[misc]


BOXES = [Box(20, 20, 120, 300), Box(100, 20, 220, 300)]


def test_a_cut_out_has_nothing_of_the_neighbours() -> None:
    image = drawn((20, 20, 100, 300), (120, 20, 220, 300))
    assert colors_in(cut_out(image, image.size, BOXES, 0)) == {RED}
    assert colors_in(cut_out(image, image.size, BOXES, 1)) == {BLUE}


def test_where_boxes_overlap_the_nearer_middle_has_the_pixel() -> None:
    image = Image.new("RGB", (320, 320), RED)
    left = np.asarray(cut_out(image, image.size, BOXES, 0))
    right = np.asarray(cut_out(image, image.size, BOXES, 1))
    red_left, red_right = (left[..., 1] == 0).sum(), (right[..., 1] == 0).sum()
    assert red_left and red_right
    overlap = 20 * 280
    own = 100 * 280 + 120 * 280
    margins = red_left + red_right - (own - overlap)
    assert 0 < margins < 0.25 * own, "each pixel of the overlap is one person's; margins come on top"


def test_boxes_speak_of_the_file_where_the_picture_is_smaller() -> None:
    image = drawn((20, 20, 100, 300), (120, 20, 220, 300)).resize((160, 160), Image.Resampling.NEAREST)
    assert colors_in(cut_out(image, (320, 320), BOXES, 1)) == {BLUE}


def test_boxes_at_and_beyond_the_edge() -> None:
    image = drawn((0, 0, 320, 320))
    for box in (
        Box(-50, -50, 400, 400),
        Box(318, 318, 320, 320),
        Box(0, 0, 0.2, 0.2),
        Box(330, 330, 340, 340),
    ):
        cut = cut_out(image, image.size, [box], 0)
        assert cut.width >= 1 and cut.height >= 1


def test_all_cut_outs_of_several_pictures_share_the_taggers_batches() -> None:
    images = [drawn((20, 20, 100, 300), (120, 20, 220, 300)) for _ in range(3)]
    detector, tagger = Detector(), Tagger()
    finder = PersonFinder(detector, tagger, threads=2)
    found = finder.find(images, [finder.prepare(i) for i in images], [i.size for i in images], SCORE_FLOOR)
    finder.close()
    assert detector.sizes == [2, 1] and tagger.sizes == [3, 3]
    for persons in found:
        assert [[t.name for t in p.tags] for p in persons] == [["red_hair", "skirt"], ["blue_hair"]]
        assert persons[0].box.x0 < persons[1].box.x0 and persons[0].score == 0.9


def test_a_crowd_is_counted_but_not_tagged() -> None:
    detector, tagger = Detector(crowd=30), Tagger()
    finder = PersonFinder(detector, tagger)
    image = drawn((0, 0, 10, 10))
    (persons,) = finder.find([image], [finder.prepare(image)], [image.size], SCORE_FLOOR)
    assert len(persons) == 30 > CROWD and tagger.sizes == []


def run(
    folder: Path,
    images: dict[str, Image.Image],
    parts: tuple[str, ...] = ("tags", "persons"),
    *,
    tagger: Tagger | None = None,
    vlm: Vlm | None = None,
) -> Any:
    results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    workplace = Workplace(
        tagger=tagger or Tagger(),
        vlm=vlm,
        detector=Detector(),
        questions=select(BUILTIN, ["clothes", "color"]),
        threads=2,
    )
    pipeline = Pipeline(makers(workplace), results.put, threads=2)
    for name, image in images.items():
        image.save(folder / name)
        pipeline.submit(Picture(name, str(folder / name), frozenset(parts)))
    got = [results.get(timeout=20) for _ in images]
    pipeline.close()
    return {r.id: r for r in got}


def test_tags_and_persons_of_one_decoding(tmp_path: Path) -> None:
    images = {f"{i}.png": drawn((20, 20, 100, 300), (120, 20, 220, 300)) for i in range(7)}
    got = run(tmp_path, images)
    for result in got.values():
        assert isinstance(result, Analysed) and set(result.parts) == {"tags", "persons"}
        assert {t.name for t in result.parts["tags"]} == {"red_hair", "blue_hair"}
        assert [p.tags[0].name for p in result.parts["persons"]] == ["red_hair", "blue_hair"]
        assert result.parts["persons"][1].box.x0 == pytest.approx(120, abs=11)


def test_persons_alone_when_the_tags_are_known(tmp_path: Path) -> None:
    got = run(tmp_path, {"a.png": drawn((20, 20, 100, 300))}, ("persons",))
    assert set(got["a.png"].parts) == {"persons"} and len(got["a.png"].parts["persons"]) == 1


def test_a_cut_out_that_breaks_the_tagger_costs_its_own_picture(tmp_path: Path) -> None:
    images = {"a.png": drawn((20, 20, 100, 300), (120, 20, 220, 300)), "b.png": drawn((20, 20, 100, 300))}
    got = run(tmp_path, images, tagger=Tagger(fails_on="blue_hair"))
    assert isinstance(got["a.png"], NotAnalysed) and "bad cut-out" in got["a.png"].reason
    assert isinstance(got["b.png"], Analysed)


def test_questions_about_one_person_see_that_person_alone(tmp_path: Path) -> None:
    vlm = Vlm()
    got = run(
        tmp_path,
        {"a.png": drawn((20, 20, 100, 300), (120, 20, 220, 300))},
        ("tags", "persons", "answers"),
        vlm=vlm,
    )
    answers = [a for a in got["a.png"].parts["answers"] if a.person]
    assert [(a.person, a.object, a.tag) for a in answers] == [(1, "skirt", "yellow_skirt")]
    assert vlm.asked[-1] == "What color is the skirt of the character in the image? Answer with one color."
    assert colors_in(vlm.shown[-1]) == {RED}


def test_questions_about_persons_known_already(tmp_path: Path) -> None:
    image = drawn((20, 20, 100, 300), (120, 20, 220, 300))
    image.save(tmp_path / "a.png")
    vlm, results = Vlm(), queue.SimpleQueue[Outcome]()
    persons = (
        Person("", Box(20, 20, 100, 300), 0.9, (Tag("skirt", score=0.9), Tag("red_shirt", score=0.9))),
    )
    questions = select(BUILTIN, ["clothes"])
    workplace = Workplace(tagger=Tagger(), vlm=vlm, detector=Detector(), questions=questions)
    pipeline = Pipeline(makers(workplace), results.put, threads=1)
    pipeline.submit(Picture("a", str(tmp_path / "a.png"), frozenset(("answers",)), {"persons": persons}))
    got = results.get(timeout=20)
    pipeline.close()
    assert isinstance(got, Analysed) and set(got.parts) == {"answers"}
    assert [(a.person, a.object) for a in got.parts["answers"]] == [(1, "skirt")], (
        "the shirt's color is known"
    )


def test_the_picture_to_look_at_shows_boxes_and_tags() -> None:
    image = Image.new("RGB", (200, 150), "white")
    people = [
        Person("α", Box(10, 40, 80, 140), 0.9, (Tag("black_hair", score=0.9), Tag("hat", score=0.5))),
        Person("β", Box(100, 40, 180, 140), 0.9, tuple(Tag(f"tag_{i}", score=0.5) for i in range(40))),
    ]
    made = annotate(image, people)
    assert made.width == 640 and made.height > 480, "small pictures are enlarged, with the tags below"
    pixels = np.asarray(made)
    assert (pixels[200, 32] == (230, 25, 75)).all() and (pixels[200, 320] == (21, 101, 192)).all()
    assert (pixels[480:] != 255).any()
    assert annotate(image, []).size == (640, 480 + 14)
