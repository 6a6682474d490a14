"""What a model's reply says, without its reasoning and special tokens; and whether it saw a picture at all."""

from __future__ import annotations

import re

# Reasoning in the text: between <think> … </think> and its kin; Kimi's and Mistral's have brackets of their own,
# gpt-oss and Gemma name channels.
_REASON = "think|thinking|thought|thoughts|reason|reasoning|reflection|analysis|scratchpad"
_OPEN = rf"(?:<(?:{_REASON})\b[^<>]{{0,80}}>|◁think▷|\[THINK\]|<\|channel\|?>\s?(?:analysis|commentary|thought)\b(?:<\|message\|>)?)"
_CLOSE = rf"(?:</(?:{_REASON})>|◁/think▷|\[/THINK\]|<channel\|>|<\|channel\|?>\s?final\b(?:<\|message\|>)?)"
_REASONING = re.compile(f"({_OPEN})|({_CLOSE})", re.IGNORECASE)
_SPECIAL = re.compile(
    # <|im_end|>, <｜end▁of▁sentence｜>, <s>, <pad>, <image>, <start_of_turn>, [INST], <0x0A>, <unused7>, <row_1_col_2>
    r"<\|(?:im_start|start|start_header_id|header_start)\|>\s?(?:assistant|system|user)\b"
    r"|<[|｜][^<>|｜\n]{0,60}[|｜]?>|<[^<>|｜\n]{0,60}[|｜]>"
    r"|</?(?:s|pad|unk|bos|eos|mask|cls|sep|image|img|im_patch|video|answer|output|response|final|assistant|"
    r"(?:start|end)_of_[a-z]+|[a-z]+_soft_token|fake_token_around_image|global-img|end_of_utterance|"
    r"unused\d+|0x[0-9a-f]{2}|row_\d+_col_\d+)>"
    r"|\[/?(?:INST|IMG|IMG_BREAK|IMG_END|PAD|UNK|CLS|SEP|MASK|BOS|EOS)\]",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")


def spoken(raw: str) -> str:
    """What a reply says: without reasoning, special tokens and the wrapping around an answer; "" without a word.

    A word has a letter or a digit of any script: "!!!!" says nothing.

    >>> spoken("<think>There may be two.</think> **3**<|im_end|>")
    '**3**'
    """
    text = _BOXED.sub(r"\1", _SPECIAL.sub(" ", _without_reasoning(raw))).strip()
    return text if any(c.isalnum() for c in text) else ""


def reasons(raw: str) -> bool:
    """Whether a reply has reasoning in its text, finished or not."""
    return _REASONING.search(raw) is not None


def _without_reasoning(raw: str) -> str:
    said = ""
    depth = at = 0
    for mark in _REASONING.finditer(raw):
        if mark[1] is not None:
            if depth == 0:
                said += raw[at : mark.start()] + " "
            depth += 1
        else:
            # Without a beginning all before it is reasoning: some chat templates write the beginning themselves.
            said = said if depth else ""
            depth = 0
        at = mark.end()
    return said if depth else said + raw[at:]


_ONE = r"(?:image|picture|photo|photograph|screenshot)"
_NOUN = rf"{_ONE}s?"
_WHOLE = rf"(?:an?|any|the|this|that|your|actual) (?:(?:attached|provided|uploaded|actual) )?{_NOUN}|{_NOUN}"
_NOT = r"(?:cannot|can not|can't|could not|couldn't|unable to|not able to|do not|don't|did not|didn't|not)"
_SIGHT = r"(?:see|view|access|look at|open|perceive|process|analyze|analyse|examine|observe|display|find|have|receive)"
_ENDS = (
    r"(?=\s*(?:$|[.,;:!?)\"'—–-]|(?:and|but|so|because|as|since|or|to|for me|directly|here|yet|that you|you|at all|"
    r"(?:was |were |has been |is )?(?:attached|provided|uploaded|included|shared|given|sent)|"
    r"(?:in|with) (?:your|this|our|the) (?:message|prompt|conversation|chat|request|question|context|input))\b))"
)
_GIVEN = r"(?:provided|attached|uploaded|given|shared|included|supplied|sent|received|loaded|visible|available|present)"
_NO_PICTURE = re.compile(
    rf"\b(?:no|not any|without an?) {_NOUN} (?:(?:is|are|was|were|has|have|has been|have been|being|currently|actually) ){{0,3}}{_GIVEN}\b"
    rf"|\b(?:the|your|an?|any) {_NOUN} (?:is|was|has|have|are|were) ?(?:not|n't)(?: been)? {_GIVEN}\b"
    rf"|\b(?:the|your) {_NOUN} (?:is missing|(?:did not|didn't|failed to) (?:load|come through|upload|attach))\b"
    rf"|\bi(?:'m| am)? (?:am )?(?:\w+ )?{_NOT} (?:(?:actually|currently|directly|really|able to|to|be able to|(?:have )?the (?:ability|capability) to) ){{0,3}}{_SIGHT} (?:{_WHOLE}){_ENDS}"
    rf"|\b{_NOT} (?:view|access|process|analyze|analyse|perceive) (?:or \w+ )?{_NOUN}{_ENDS}"
    rf"|\b(?:you )?(?:have not|haven't|did not|didn't) (?:\w+ )?(?:provide|attach|upload|share|include|send)d?(?:ed)? (?:{_WHOLE})\b"
    rf"|\b(?:please|could you|can you) (?:\w+ )?(?:provide|upload|share|attach|send|include)(?: me)?(?: with)? (?:{_WHOLE})\b"
    r"|\bas a text[- ](?:based|only)\b|\bi(?:'m| am) (?:just |only )?a (?:text|language)[- ](?:based|only|model)"
)
# Weaker: "There is no picture." is also said of a picture on a wall, where the question was about one.
_WEAK = re.compile(
    rf"^\W*(?:(?:sorry|unfortunately|i'm sorry|i am sorry)\W+(?:but )?)?"
    rf"(?:there (?:is|was)(?: currently)?|there's|i (?:see|have|find|received)|we have) no (?:actual )?{_ONE}{_ENDS}"
    rf"|^\W*no {_ONE}\W*$"
)
_ASKED_IN = re.compile(rf"\b(?:in|of|on|from) (?:the|this) {_NOUN}\b")


def sees_nothing(said: str, question: str = "") -> bool:
    """Whether a reply says that the model got no picture or cannot see any: "There is no image."

    Args:
        said: `spoken` of the reply.
        question: what was asked: where it is about pictures itself ("Is there a photo on the wall?"), "There is no
            photo." is an answer.
    """
    text = " ".join(said.lower().replace("’", "'").split())
    if _NO_PICTURE.search(text):
        return True
    about = re.search(rf"\b{_NOUN}\b", _ASKED_IN.sub(" ", question.lower()))
    return about is None and _WEAK.search(text) is not None
