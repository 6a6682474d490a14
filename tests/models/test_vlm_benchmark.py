"""The benchmark of questions measures what it says, here on a picture of two cells' side."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from benchmarks import questions


def test_its_questions_are_all_different() -> None:
    asked = questions.questions(questions.MANY)
    assert len({p.text for p in asked}) == questions.MANY
    assert {len(p.choices) for p in asked} >= {2, 21}, "yes or no, and counts"


@pytest.mark.slow
def test_it_compares_logits_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        assert questions.main(["--json", "--side", "56", "--rounds", "1", "--threads", "1"]) == 0
    finally:
        torch.set_num_threads(before)
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["max_logit_difference"] <= 1e-4 < 1 < result["logit_scale"]
    assert result["ratio_40"] > 1.5, "with next to no picture little is saved"
