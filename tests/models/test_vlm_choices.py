"""Probabilities of closed answers, over a language model small enough to be worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from lib_extend.errors import ModelError  # noqa: E402
from lib_extend.models.vlms.choices import Choices, spellings, word_ends  # noqa: E402

PIECES = ["<end>", "1", "0", "Ġ", "3", "one", "ten", "three", "y", "es", "no", ".", "Yes", "Ġone", "2"]


class Letters:
    """A tokenizer of the pieces above, the longest first; other words are unknown."""

    unk_token_id = 99

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        rest, ids = text.replace(" ", "Ġ"), []
        while rest:
            piece = max((p for p in PIECES if rest.startswith(p)), key=len, default="")
            ids.append(PIECES.index(piece) if piece else self.unk_token_id)
            rest = rest[len(piece) or 1 :]
        return {"input_ids": ids}

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [PIECES[i] for i in ids]

    def __len__(self) -> int:
        return len(PIECES)


def scores(**likely: float) -> Any:
    """Log-probabilities of the next token; what is not named shares the rest."""
    names = {PIECES.index(k.replace("_", "Ġ")): v for k, v in likely.items()}
    rest = (1 - sum(names.values())) / (len(PIECES) - len(names))
    return torch.tensor([names.get(i, rest) for i in range(len(PIECES))]).clamp_min(1e-30).log()


def ids(*pieces: str) -> tuple[int, ...]:
    return tuple(PIECES.index(p) for p in pieces)


TOKENIZER = Letters()
ENDS = word_ends(TOKENIZER)


def probabilities(choices: Any, at: Any, temperature: float = 1.0) -> tuple[float, ...]:
    return Choices(choices, TOKENIZER).probabilities(at, ENDS, temperature)


def test_each_way_of_writing_is_tried_once() -> None:
    assert spellings(["no"]) == ["no", " no", "No", " No", "NO", " NO"]
    assert "Light blue" in spellings(["light blue"]) and "Light Blue" in spellings(["light blue"])
    assert len(set(spellings(["a b", "A b"]))) == len(spellings(["a b", "A b"]))


def test_spellings_of_one_choice_add_up() -> None:
    root = scores(**{"1": 0.2, "one": 0.2, "3": 0.3})
    p = probabilities((("1", "one"), ("3", "three")), {(): root, ids("Ġ"): scores()})
    rest = 0.3 / 12
    # "three" shares the rest, as does " one"; " 1", " 3" and " three" are a space and then one of 15.
    first, second = 0.4 + rest + rest / 15, 0.3 + rest + 2 * rest / 15
    assert p == pytest.approx((first / (first + second), second / (first + second)), rel=1e-4)


def test_one_is_not_ten() -> None:
    """All mass on "1" then "0": an answer that reads the first token alone says 1."""
    choices = Choices((("1",), ("10",), ("3",)), TOKENIZER)
    at = {(): scores(**{"1": 0.9, "3": 0.05}), ids("1"): scores(**{"0": 0.98})}
    p = choices.probabilities(at, ENDS)
    assert p[1] > 0.9 and p[0] < 0.05
    ended = choices.probabilities({**at, ids("1"): scores(**{"<end>": 0.98})}, ENDS)
    assert ended[0] > 0.9
    # "1." and "1 cake" are ones too, "13" is none of the allowed answers.
    assert choices.probabilities({**at, ids("1"): scores(**{".": 0.98})}, ENDS)[0] > 0.9
    other = choices.probabilities({**at, ids("1"): scores(**{"3": 0.98})}, ENDS)
    assert other[0] < 0.1 and other[1] < 0.1


def test_answers_of_several_tokens_are_products() -> None:
    at = {(): scores(y=0.6, no=0.3), ids("y"): scores(es=0.5)}
    yes, no = probabilities((("yes",), ("no",)), at)
    spaced = 0.1 / 13  # " yes" and " no" begin with a space, which was not followed
    assert yes == pytest.approx((0.3 + spaced) / (0.3 + spaced + 0.3), abs=0.02)
    assert yes + no == pytest.approx(1.0)


def test_unlikely_beginnings_are_not_followed() -> None:
    choices = Choices((("yes",), ("no",), ("10",)), TOKENIZER)
    assert set(choices.inner(scores(y=0.5, no=0.4))) == {
        ids("y"),
        ids("1"),
        ids("Ġ"),
        ids("Ġ", "y"),
        ids("Ġ", "1"),
    }
    sure = torch.full((len(PIECES),), -30.0)
    sure[PIECES.index("no")] = 0.0
    assert choices.inner(sure) == []
    p = choices.probabilities({(): sure}, ENDS)
    assert p[1] == pytest.approx(1.0) and sum(p) == pytest.approx(1.0)


def test_the_temperature_evens_out() -> None:
    root = {(): scores(**{"1": 0.9, "3": 0.05}), ids("Ġ"): scores()}
    cold, warm, hot = (probabilities((("1",), ("3",)), root, t) for t in (0.5, 1.0, 4.0))
    assert cold[0] > warm[0] > hot[0] > 0.5
    assert math.log(hot[0] / hot[1]) == pytest.approx(math.log(warm[0] / warm[1]) / 4)


def test_nothing_likely_is_no_division_by_zero() -> None:
    root = torch.full((len(PIECES),), -math.inf)
    root[0] = 0.0
    assert probabilities((("no",), ("3",)), {(): root}) == (0.5, 0.5)


def test_a_spelling_of_two_choices_counts_for_the_first() -> None:
    choices = Choices((("1", "one"), ("3", "one")), TOKENIZER)
    assert choices.ends[ids("one")] == 0


def test_a_choice_without_tokens_is_refused() -> None:
    with pytest.raises(ModelError, match="'purple'"):
        Choices((("no",), ("purple",)), TOKENIZER)


def test_word_ends_are_ends_spaces_and_punctuation() -> None:
    assert [PIECES[i] for i in ENDS.nonzero()[:, 0].tolist()] == ["<end>", "Ġ", ".", "Ġone"]
