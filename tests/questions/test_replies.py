"""What replies say: reasoning, special tokens, words; and models that get no picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.questions.answer_reading import normalize, read
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Asked, Kind, Question
from lib_extend.records import Prompt, Reply
from lib_extend.vocabulary.replies import reasons, sees_nothing, spoken

BY_NAME = {q.name: q for q in BUILTIN}
FREE = Question("mood", Kind.FREE, "What is the mood of the image?", tag="{answer}")
ONE_OF = Question(
    "time", Kind.ONE_OF, "What time is it in the image?", answers=("noon", "night"), tag="{answer}"
)

REASONINGS = [
    ("<think>", "</think>"),
    ("<Thinking>\n", "\n</Thinking>\n\n"),
    ("<reasoning type='deep'>", "</reasoning>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
    ("", "</think>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|channel>thought\n", "<channel|>"),
]
WRAPPINGS = ["{}", "<|im_start|>assistant\n{}<|im_end|>", "<answer>{}</answer>", "{}</s>", "<|begin_of_box|>{}<|end_of_box|>",
    "\\boxed{{{}}}", "<bos>{}<end_of_turn>", "[INST] {}", "{}<｜end▁of▁sentence｜>"]  # fmt: skip
ANSWERS = [("count", "3", "3"), ("color", "light brown", "light_brown"), ("door", "Yes", "yes"), ("door", "No", "no"),
    ("floor_material", "wood", "wooden")]  # fmt: skip
# words that would be read as something else, were they part of the answer
THOUGHTS = st.lists(
    st.sampled_from(
        "yes no 2 or red blue wood tile not there are no cakes ! ? there is no image , hmm".split(" ")
    ),
    max_size=12,
).map(" ".join)


@given(
    st.sampled_from(REASONINGS),
    THOUGHTS,
    st.sampled_from(WRAPPINGS),
    st.sampled_from(ANSWERS),
    st.text(" \n\t", max_size=3),
)
def test_neither_reasoning_nor_special_tokens_are_an_answer(
    marks: tuple[str, str], thought: str, wrapping: str, case: tuple[str, str, str], space: str
) -> None:
    question, words, answer = case
    raw = marks[0] + thought + marks[1] + space + wrapping.format(words)
    assert reasons(raw) and normalize(BY_NAME[question], raw) == answer
    assert normalize(FREE, raw) == words


@given(st.sampled_from([r for r in REASONINGS if r[0]]), THOUGHTS)
def test_reasoning_without_an_end_is_no_answer(marks: tuple[str, str], thought: str) -> None:
    for question in (*BUILTIN, FREE, ONE_OF):
        assert read(Asked(question, "cake", Prompt("?")), Reply(marks[0] + thought)).answer == ""


WORDLESS = st.one_of(
    st.text("!?.,;:-_*#~|<>()[]{}\"'`/\\ \n…“”^", max_size=40),
    st.sampled_from(
        [
            "!" * 32,
            "<|im_end|>",
            "<s></s>",
            "<pad>" * 5,
            "<|endoftext|>!!!",
            "\\boxed{}",
            "^_^",
            "🙂",
            "<0x0A>",
        ]
    ),
)


@given(st.sampled_from((*BUILTIN, FREE, ONE_OF)), WORDLESS)
def test_what_has_no_word_is_no_answer(question: Question, raw: str) -> None:
    answer = read(Asked(question, "cake", Prompt("?")), Reply(raw))
    assert (answer.answer, answer.tag, answer.raw) == ("", "", raw)


@given(st.text())
def test_any_text_can_be_read(raw: str) -> None:
    said = spoken(raw)
    assert not said or any(c.isalnum() for c in said)
    assert spoken(said) in (said, "") or reasons(raw) or "<" in raw or "[" in raw or "\\" in raw
    sees_nothing(said)


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ("yes and no", ""), ("Yes or no?", ""), ("yes/no", ""), ("No, yes", ""), ("Yes. No.", ""), ("yes - no", ""),
        ("neither yes nor no", ""), ("Yes, there is no chair", ""), ("not a yes", "no"), ("Yes, no doubt about it", "yes"),
        ("Yes, a door with no handle", "yes"), ("No, there is no door", "no"), ("**Yes**", "yes"), ("well, no", "no"),
    ],
)  # fmt: skip
def test_a_yes_is_one_only_alone(raw: str, answer: str) -> None:
    assert normalize(BY_NAME["door"], raw) == answer


BLIND = [
    "There is no image.", "I cannot see the image.", "I'm sorry, but I can't view images directly.", "No image was provided.",
    "I don’t see an image", "I'm unable to see the image you attached", "Please upload the image so that I can help.",
    "As a text-based AI model, I cannot tell.", "there is no picture attached to your message", "No image",
    "I do not have the ability to view images, so 0.", "It seems the image did not load.", "You haven't provided an image",
    "I am unable to view or analyze images", "Sorry, no photo was uploaded: 0 cakes", "I'm just a language model, no.",
]  # fmt: skip
SEEING = [
    "There is no cake in the image.", "There is no image of a cat.", "I can't see the image clearly", "No", "0", "not visible",
    "I cannot see the door in the image.", "the floor is not visible in the image", "The image shows no chairs.",
    "No cake is visible in this picture.", "I don't see the picture frame", "There are no pictures", "3",
]  # fmt: skip


@pytest.mark.parametrize("raw", BLIND)
def test_a_model_without_a_picture_answers_nothing(raw: str) -> None:
    for question in (*BUILTIN, FREE, ONE_OF):
        asked = Asked(question, "cake", Prompt(question.ask))
        assert sees_nothing(spoken(raw), question.ask)
        answer = read(asked, Reply(raw))
        assert (answer.answer, answer.tag) == ("", "")
    # what a server reads from the first token of "No image was provided"
    sure = Asked(BY_NAME["door"], "", Prompt("Is there a door in the image?", (("yes",), ("no",))))
    assert read(sure, Reply(raw, (0.0, 1.0))).probability is None


@pytest.mark.parametrize("raw", SEEING)
def test_what_is_not_there_is_an_answer(raw: str) -> None:
    assert not sees_nothing(raw, "Is there a door in the image?")


def test_questions_about_pictures_may_be_denied() -> None:
    question = Question("wall", Kind.YES_NO, "Is there a picture on the wall in the image?")
    assert normalize(question, "There is no picture.") == "no"
