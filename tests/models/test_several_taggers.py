"""Several real ONNX files of different signatures asked as one tagger."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extend.captions.thresholds import Thresholds, agreement
from lib_extend.config import TagConfig
from lib_extend.errors import UserError
from lib_extend.models.model_loading import load_tagger
from lib_extend.models.several_taggers import SeveralTaggers
from lib_extend.tag_table import TagTable

from .pictures import picture
from .test_taggers import build_camie
from .tiny_onnx import wd_folder


def test_each_one_is_asked_with_its_own_input(tmp_path: Path) -> None:
    """WD takes BGR at 448 pixels, Camie normalised RGB at 512: what either says is what it says alone."""
    wd, camie = tmp_path / "wd", tmp_path / "camie"
    wd_folder(wd)
    build_camie(camie)
    both = load_tagger(f"{wd}, {camie}, {wd}")
    assert isinstance(both, SeveralTaggers)
    image = picture(640, 480)
    rows = [both.prepare(image), both.prepare(image.transpose(0))]
    tables = both.tag(rows, 0.05)
    for folder in (wd, camie):
        alone = load_tagger(str(folder))
        for table, turned in zip(tables, (image, image.transpose(0)), strict=True):
            assert isinstance(table, TagTable)
            (expected,) = alone.tag([alone.prepare(turned)], 0.05)
            column = dict(zip(table.names, table.each[str(folder)], strict=True))
            assert {t.name: round((t.score or 0) * 1e6) for t in expected} == {
                name: score for name, score in column.items() if score
            }
        assert both.limits[str(folder)].general == alone.threshold
        assert alone.key in both.key
        alone.close()
    own = Thresholds(both.threshold, both.character_threshold, {}, both.limits)
    config = TagConfig(tagger=f"{wd},{camie}", tagger_agreement="union")
    tags = agreement(config, own).table(tables[0])
    assert {t.taggers for t in tags} >= {(str(wd), str(camie)), (str(camie),), (str(wd),), ()}
    both.close()


def test_a_folder_with_a_comma_is_one(tmp_path: Path) -> None:
    folder = wd_folder(tmp_path / "old, good")
    assert not isinstance(load_tagger(str(folder)), SeveralTaggers)
    with pytest.raises(UserError, match="nobody"):
        load_tagger(f"sketch,{tmp_path / 'nobody'}")
