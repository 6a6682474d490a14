"""A finished picture is looked at for what its cast asks: with the sketch models on drawn scenes, and with a fake worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lib_extend.config import TagConfig
from lib_extend.errors import ImageError, ModelError, UserError
from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.places import columns, from_pixels
from lib_extend.host.options import Options
from lib_extend.host.safety import Safety
from lib_extend.records import Box
from lib_extend.services import container
from lib_extend.services.cast_checking import check, settings
from lib_extend.services.container import Services
from lib_extend.worker.environment import Environment

from .conftest import Server

LEFT, RIGHT = columns(2)
PAIR = Cast(
    (
        Character(prompt="1girl, black hair, smile", box=LEFT),
        Character(prompt="1girl, white hair, hat, glasses", box=RIGHT),
    )
)


def services(data: Path) -> Services:
    made = container.make(data=data, safety=lambda: Safety(False, (), False), options=Options)
    made.last_settings.remember(TagConfig(tagger="sketch"))
    return made


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """With the real worker and the sketch models."""
    pytest.importorskip("onnxruntime")
    made = services(tmp_path_factory.mktemp("data"))
    yield made
    made.close()


HEIGHT = 640


def drawn(number: int) -> tuple[Image.Image, Cast]:
    """A scene of two or three persons, and its cast by the truth."""
    from lib_extend.sketch.draw import draw
    from lib_extend.sketch.scene_layout import random_scene
    from lib_extend.sketch.scenes import scene_rng, truth

    scene = random_scene(scene_rng("check", 7, number), persons=(2, 3))
    size = int(HEIGHT * scene.aspect), HEIGHT
    persons = truth(scene, "", size)["persons"]
    characters = (
        Character(
            prompt=", ".join(t.replace("_", " ") for t in p["tags"]), box=from_pixels(Box(*p["box"]), *size)
        )
        for p in persons
    )
    return draw(scene, *size), Cast(tuple(characters))


def swapped(cast: Cast, *, only: str = "") -> Cast:
    """Each character with the tags of its neighbour; `only`: the first of those that end so."""
    texts = [c.prompt for c in (*cast.characters[1:], cast.characters[0])]
    if only:
        texts = [next(t for t in text.split(", ") if t.endswith(only)) for text in texts]
    pairs = zip(texts, cast.characters, strict=True)
    return Cast(tuple(Character(prompt=text, box=c.box) for text, c in pairs))


@pytest.mark.parametrize("number", [1, 3, 5, 8])
def test_a_drawn_scene_is_found_in_it(real: Services, number: int) -> None:
    picture, cast = drawn(number)
    found = check(picture, cast, real)
    assert found.score >= 0.95 and found.persons == len(cast.characters)
    assert sum(len(c.found) for c in found.characters) >= 7 * len(cast.characters)


@pytest.mark.parametrize("number", [1, 3, 5, 8])
def test_with_swapped_characters_it_is_not(real: Services, number: int) -> None:
    picture, cast = drawn(number)
    assert check(picture, swapped(cast), real).score <= 0.4
    hair = check(picture, swapped(cast, only=" hair"), real)
    assert hair.score == 0.0 and all(c.seen and c.missing for c in hair.characters)
    nobody = Cast(tuple(Character(prompt=c.prompt, box=(0.0, 0.0, 0.03, 0.03)) for c in cast.characters))
    assert not any(c.seen for c in check(picture, nobody, real).characters)


def test_what_the_tagger_cannot_know_is_not_missed(real: Services, tmp_path: Path) -> None:
    picture, cast = drawn(5)
    first = cast.characters[0]
    more = Character(prompt=f"{first.prompt}, striped socks, polka dot bikini", box=first.box)
    path = tmp_path / "picture.jpg"
    picture.save(path, quality=95)
    found = check(path, Cast((more, *cast.characters[1:])), real)
    assert found.score >= 0.95
    assert {"striped socks", "polka dot bikini"} <= set(found.characters[0].uncounted)


def test_by_the_separation_of_the_worker(server: Server, tmp_path: Path) -> None:
    server.services.last_settings.remember(TagConfig(tagger="fake"))
    path = tmp_path / "pair.png"
    Image.new("RGB", (64, 48)).save(path)
    found = check(path, PAIR, server.services)
    # the fake worker does not tell its vocabulary: then all that is about a person's look counts
    assert [(c.found, c.missing) for c in found.characters] == [
        (("black hair", "smile"), ()),
        (("white hair", "hat"), ("glasses",)),
    ]
    assert found.score == 0.8 and "missing: β glasses" in found.summary
    # a picture goes by a file that is gone afterwards
    one = check(Image.new("RGBA", (64, 48)), PAIR, server.services)
    assert (
        one.persons == 1 and one.characters[0].found == ("black hair", "smile") and not one.characters[1].seen
    )
    assert check(path, Cast(), server.services).score == 1.0
    pid = server.get("/state")["worker"]["pid"]
    check(path, PAIR, server.services)
    assert server.get("/state")["worker"]["pid"] == pid


def test_how_it_is_looked_at(server: Server) -> None:
    plain = settings(server.services)
    assert plain.tagger == TagConfig().tagger and plain.people and plain.offline and plain.vlm == "none"
    server.services.last_settings.remember(
        TagConfig(tagger="sketch", threshold=0.5, vlm="sketch", max_tags=3)
    )
    server.options = Options(models_dir="/models")
    own = settings(server.services)
    assert (own.tagger, own.threshold, own.models_dir, own.max_tags) == ("sketch", 0.5, "/models", None)


def test_what_goes_wrong_is_said(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.services.last_settings.remember(TagConfig(tagger="fake"))
    broken = tmp_path / "fail.png"
    Image.new("RGB", (8, 8)).save(broken)
    with pytest.raises(ImageError, match="cannot be read"):
        check(broken, PAIR, server.services)

    def no_model(*args: object) -> None:
        raise ModelError("wd-x is not on this machine and --offline forbids the network.")

    monkeypatch.setattr("lib_extend.services.idle_worker.Worker.start", no_model)
    with pytest.raises(
        UserError, match=r"The tagger fake and the detector anime-person, .* Prompt Extend tab"
    ):
        check(broken, PAIR, server.services)


def test_without_the_models_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Environment("/python", (), problem="The models' environment is not made yet: make it.")
    monkeypatch.setattr("lib_extend.worker.client.environment", lambda base=None: missing)
    made = services(tmp_path)
    with pytest.raises(UserError, match="environment is not made yet"):
        check(Image.new("RGB", (8, 8)), PAIR, made)
    made.close()
