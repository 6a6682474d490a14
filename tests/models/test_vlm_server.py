"""A model behind a server: each dialect, what servers refuse, and what goes wrong on the way."""

from __future__ import annotations

import email.utils
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from lib_extend.errors import ImageError, ModelError, PromptExtendError
from lib_extend.models.vlms import api, dialects
from lib_extend.models.vlms.api import normal_url
from lib_extend.models.vlms.dialects import JSON_SCHEMA, PLAIN, Token
from lib_extend.models.vlms.loading import load_vlm
from lib_extend.models.vlms.server_model import ServerVlm, connect
from lib_extend.records import Prompt, Reply
from lib_extend.vocabulary.replies import spoken
from tests.vlm_server import OWNERS, Fault, VlmServer, endless, garbage, hang_up, raw, silence, status

COUNTS = tuple(
    (str(n), w) for n, w in enumerate("zero one two three four five six seven eight nine ten".split())
)
YES_NO = (("yes", "true"), ("no", "false"))
ANSWERS = {
    "cakes": {"3": 0.7, "2": 0.2, "10": 0.1},
    "boxes": {"10": 0.6, "1": 0.3, "7": 0.1},
    "door": {"yes": 0.75, "no": 0.25},
    "chairs": {"There are 4 chairs.": 1.0},
}
CAKES, BOXES = Prompt("How many cakes?", COUNTS), Prompt("How many boxes?", COUNTS)
DOOR, FREE = Prompt("Is there a door?", YES_NO), Prompt("What is it?", (), 20)
PICTURE = Image.new("RGB", (640, 480), "teal")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "FIRST_PAUSE", 0.01)
    for name in ("PROMPT_EXTEND_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[VlmServer]:
    with VlmServer(answers=ANSWERS) as running:
        yield running


def ask(vlm: ServerVlm, *prompts: Prompt, image: Image.Image = PICTURE) -> list[Reply]:
    look = vlm.look(image)
    try:
        return look.ask(prompts)
    finally:
        look.close()
        vlm.close()


@pytest.mark.parametrize("dialect", OWNERS)
def test_every_dialect_answers_with_probabilities(dialect: str) -> None:
    with VlmServer(dialect, ANSWERS) as server:
        vlm = connect(server.url)
        assert server.url in vlm.device and "seer-2b" in vlm.device
        cakes, boxes, door, free = ask(vlm, CAKES, BOXES, DOOR, FREE)
    assert (cakes.raw, boxes.raw, door.raw, free.raw) == ("3", "10", "yes", "I see a picture.")
    assert cakes.probabilities is not None and cakes.probabilities[3] == pytest.approx(0.7, abs=0.01)
    assert cakes.probabilities[2] == pytest.approx(0.2, abs=0.01)
    assert boxes.probabilities is not None and boxes.probabilities[10] == pytest.approx(0.6, abs=0.01)
    assert boxes.probabilities[1] == pytest.approx(0.3, abs=0.01), "1 and 10 begin alike"
    assert door.probabilities == pytest.approx((0.75, 0.25), abs=0.01)
    assert free.probabilities is None
    assert sum(cakes.probabilities) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("dialect", "field", "value"),
    [
        ("vllm", "structured_outputs", {"choice": ["yes", "no"]}),
        ("old-vllm", "guided_choice", ["yes", "no"]),
        ("sglang", "regex", "(yes|no)"),
        ("llama.cpp", "grammar", 'root ::= "yes" | "no"'),
        ("ollama", "response_format", None),
        ("lm-studio", "response_format", None),
    ],
)
def test_each_server_is_constrained_in_its_own_way(dialect: str, field: str, value: Any) -> None:
    with VlmServer(dialect, {"door": {"I see one.": 0.8, "yes": 0.2}}) as server:
        vlm = connect(server.url)
        assert [r.raw for r in ask(vlm, DOOR, DOOR)] == ["yes", "yes"]
        sent = server.requests[-1]
    assert field in sent
    assert value is None or sent[field] == value
    assert (
        not {"structured_outputs", "guided_choice", "regex", "grammar", "response_format"} - {field}
        & sent.keys()
    )
    assert sent["temperature"] == 0


def test_a_constraint_keeps_chatter_out(server: VlmServer) -> None:
    server.dialect = "vllm"
    (reply,) = ask(connect(server.url), Prompt("How many chairs?", COUNTS))
    assert reply.raw in [c[0] for c in COUNTS]


def test_without_constraint_the_words_are_left_to_be_read() -> None:
    with VlmServer("other", ANSWERS) as server:
        (reply,) = ask(connect(server.url), Prompt("How many chairs?", COUNTS))
    assert reply == Reply("There are 4 chairs.", None)


def test_without_logprobs_there_is_no_probability(server: VlmServer) -> None:
    server.logprobs = False
    assert ask(connect(server.url), CAKES) == [Reply("3", None)]


@pytest.mark.parametrize(
    ("dialect", "refused", "probabilities"),
    [
        ("vllm", {"structured_outputs"}, True),
        ("vllm", {"structured_outputs", "guided_choice"}, True),
        ("sglang", {"regex"}, True),
        ("llama.cpp", {"grammar"}, True),
        ("llama.cpp", {"grammar", "response_format"}, True),
        ("ollama", {"top_logprobs"}, False),
        ("lm-studio", {"response_format", "logprobs"}, False),
    ],
)
def test_what_is_refused_is_left_out_from_then_on(
    dialect: str, refused: set[str], probabilities: bool
) -> None:
    with VlmServer(dialect, ANSWERS, refuses=frozenset(refused)) as server:
        vlm = connect(server.url)
        look = vlm.look(PICTURE)
        (first,) = look.ask([CAKES])
        tries = len(server.requests)
        (second,) = look.ask([DOOR])
        assert len(server.requests) == tries + 1
        vlm.close()
    assert (first.raw, second.raw) == ("3", "yes")
    assert (first.probabilities is not None) == probabilities == (second.probabilities is not None)


def test_a_refused_picture_fails_the_image_and_changes_nothing(server: VlmServer) -> None:
    vlm = connect(server.url)
    server.faults = deque([status(400, "cannot identify image")] * 4)
    with pytest.raises(ImageError, match="cannot identify image"):
        vlm.look(PICTURE).ask([CAKES])
    assert ask(vlm, CAKES)[0].probabilities is not None
    assert "structured_outputs" in server.requests[-1]


def test_the_picture_comes_first_within_the_cap(server: VlmServer) -> None:
    big = Image.effect_noise((1500, 900), 80).convert("RGB")
    ask(connect(server.url, max_pixels=300_000), DOOR, FREE, image=big)
    assert {p.format for p in server.pictures} == {"JPEG"}
    assert all(200_000 < p.width * p.height <= 300_000 for p in server.pictures)
    assert all(p.width / p.height == pytest.approx(5 / 3, abs=0.01) for p in server.pictures)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_pictures_of_any_mode_are_sent(server: VlmServer, mode: str) -> None:
    ask(connect(server.url), DOOR, image=Image.new(mode, (50, 40)))
    assert server.pictures[0].mode == "RGB" and server.pictures[0].format == "PNG"
    if mode in ("LA", "RGBA"):
        assert server.pictures[0].getpixel((0, 0)) == (255, 255, 255)


def test_requests_run_side_by_side_within_the_limit() -> None:
    with VlmServer(answers=ANSWERS, delay=0.05) as server:
        replies = ask(connect(server.url, limit=4), *[CAKES, DOOR] * 8)
    assert [r.raw for r in replies] == ["3", "yes"] * 8
    assert 2 <= server.most <= 4


def test_the_limit_holds_over_all_pictures() -> None:
    with VlmServer(answers=ANSWERS, delay=0.03) as server:
        vlm = connect(server.url, limit=3)
        threads = [threading.Thread(target=vlm.look(PICTURE).ask, args=([DOOR] * 4,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        vlm.close()
    assert server.most == 3 and len(server.requests) == 20


def test_one_question_goes_ahead_to_fill_the_servers_cache() -> None:
    seen: list[int] = []
    with VlmServer(answers=ANSWERS, delay=0.05) as server:
        vlm = connect(server.url)
        look = vlm.look(PICTURE)
        watcher = threading.Timer(0.03, lambda: seen.append(len(server.requests)))
        watcher.start()
        look.ask([DOOR] * 5)
        look.ask([DOOR] * 5)
        vlm.close()
    assert seen == [1]


def test_a_picture_stays_in_one_slot() -> None:
    """llama.cpp keeps a prompt a slot: a second one for the same picture would encode it again."""
    with VlmServer("llama.cpp", ANSWERS, delay=0.03, slots=3) as server:
        vlm = connect(server.url)
        assert vlm.parallel == 3
        threads = [threading.Thread(target=vlm.look(PICTURE).ask, args=([DOOR] * 4,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.most == 2 and len(server.requests) == 8
        vlm.close()
        assert connect(server.url, limit=2).parallel == 2


def test_slots_nobody_tells_of_may_be_one() -> None:
    with VlmServer("ollama", ANSWERS) as server:
        assert connect(server.url).parallel == 1, "two pictures taking turns would be encoded at every turn"
    with VlmServer("vllm", ANSWERS) as server:
        assert connect(server.url, limit=8).parallel == 4


def test_a_server_that_loads_its_model_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with VlmServer("llama.cpp", ANSWERS, loading=3) as server:
        assert ask(connect(server.url), CAKES)[0].raw == "3"
        server.loading = 10**6
        monkeypatch.setattr(api, "LOADING_SECONDS", 0.1)
        with pytest.raises(ModelError, match="503, Loading model"):
            connect(server.url)


def test_a_model_without_eyes_stops_the_run() -> None:
    with VlmServer("llama.cpp", ANSWERS, blind=True) as server:
        with pytest.raises(ModelError, match=r"takes no pictures.*--mmproj"):
            ask(connect(server.url), CAKES)
        assert len(server.requests) == 1, "it is not asked again"


def test_a_model_that_is_not_listed_may_be_there() -> None:
    with VlmServer("other", ANSWERS, unlisted="/models/mine") as server:
        assert ask(connect(server.url, model="/models/mine"), DOOR)[0].raw == "yes"
        with pytest.raises(
            ModelError, match=r"does not take 'oracle' \(400, Server is pinned to '/models/mine'"
        ):
            ask(connect(server.url, model="oracle"), DOOR)


def test_trouble_that_passes_is_waited_out(server: VlmServer) -> None:
    server.faults = deque([status(503), hang_up, status(429), status(500)])
    assert ask(connect(server.url), CAKES)[0].raw == "3"
    assert len(server.requests) == 5


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_server_says_how_long_to_wait(server: VlmServer, form: str) -> None:
    pause = 0.3 if form == "seconds" else 2.0
    header = "0.3" if form == "seconds" else email.utils.formatdate(time.time() + pause, usegmt=True)
    server.faults = deque([status(429, "slow down", Retry_After=header)])
    begun = time.monotonic()
    ask(connect(server.url), CAKES)
    assert pause - 1.1 <= time.monotonic() - begun < pause + 5
    assert form == "date" or time.monotonic() - begun >= 0.3


def test_trouble_that_stays_fails_the_image(server: VlmServer) -> None:
    server.faults = deque([status(503, "loading model")] * api.ATTEMPTS)
    with pytest.raises(ImageError, match=r"busy.*503, loading model.*tried 5 times"):
        ask(connect(server.url), CAKES)


def test_a_server_that_dies_fails_the_image() -> None:
    with VlmServer(answers=ANSWERS) as server:
        vlm = connect(server.url)
    with pytest.raises(ImageError, match="cannot be reached any more"):
        ask(vlm, CAKES)


def test_silence_is_a_timeout(server: VlmServer) -> None:
    server.faults = deque([silence(0.5), silence(0.5)])
    with pytest.raises(ImageError, match="did not answer in time, 2 times"):
        ask(connect(server.url, answer_seconds=0.1), CAKES)


def test_a_foreign_reply_is_said_to_be_one(server: VlmServer) -> None:
    server.faults = deque([garbage])
    with pytest.raises(ImageError, match="no chat completion"):
        ask(connect(server.url), CAKES)


def test_troubles_carry_codes(server: VlmServer) -> None:
    cases: list[tuple[Fault, str]] = [
        (status(401), "server_key"),
        (status(404), "server_no_model"),
        (status(413), "picture_too_large"),
        (status(500, api.BLIND), "model_blind"),
        (garbage, "answer_foreign"),
    ]
    for fault, code in cases:
        vlm = connect(server.url)
        server.faults = deque([fault])
        with pytest.raises(PromptExtendError) as caught:
            ask(vlm, FREE)
        assert (caught.value.code, caught.value.fields["server"]) == (code, server.url)


def test_an_endless_answer_is_given_up(server: VlmServer) -> None:
    server.faults = deque([endless(b"yes " * 100_000)])
    begun = time.monotonic()
    with pytest.raises(ImageError, match=r"more than 16 MB: lower its limit"):
        ask(connect(server.url), DOOR)
    assert time.monotonic() - begun < 10 and len(server.requests) == 1


def test_an_answer_that_trickles_is_given_up(server: VlmServer) -> None:
    server.faults = deque([endless(b"y", 0.02)])
    begun = time.monotonic()
    with pytest.raises(ImageError, match=r"did not end within 0\.5 s"):
        ask(connect(server.url, answer_seconds=0.5), DOOR)
    assert 0.5 <= time.monotonic() - begun < 5


def test_an_endless_list_of_models_is_none(server: VlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.listing = endless(b"yes " * 100_000)
    with pytest.raises(ModelError, match="more than 16 MB: it is no OpenAI-compatible server"):
        connect(server.url)
    monkeypatch.setattr(api, "CONNECT_SECONDS", 0.3)
    server.listing = endless(b"y", 0.02)
    with pytest.raises(ModelError, match="did not end within"):
        connect(server.url)


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices": ' + b"[" * 100_000,
        b'{"n": ' + b"9" * 5_000_000 + b"}",
        b"",
        b"null",
        b"\xff\xfe",
        b'{"choices": [[]]}',
    ],
    ids=["nested", "number", "nothing", "null", "bytes", "lists"],
)
def test_odd_json_is_no_answer(server: VlmServer, body: bytes) -> None:
    begun = time.monotonic()
    vlm = connect(server.url)
    server.faults = deque([raw(body)])
    with pytest.raises(ImageError, match="no chat completion"):
        ask(vlm, DOOR)
    server.listing = raw(body)
    with pytest.raises(ModelError, match="no OpenAI-compatible server"):
        connect(server.url)
    assert time.monotonic() - begun < 2


def test_an_answer_cut_before_it_began(server: VlmServer) -> None:
    server.thinks = True
    for prompt in (FREE, CAKES):
        with pytest.raises(ImageError, match="cut before it said anything"):
            ask(connect(server.url), prompt)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_an_answer_in_the_reasoning_field_alone_is_the_models_trouble(server: VlmServer, field: str) -> None:
    server.reasoning, server.apart, server.echo = "There are 3 cakes, so 3.", field, True
    for prompt in (FREE, CAKES):
        with pytest.raises(ModelError, match="seer-2b .* only thinks aloud"):
            ask(connect(server.url), prompt)


@pytest.mark.parametrize("dialect", ["vllm", "ollama", "other"])
def test_reasoning_in_the_text_is_no_answer(dialect: str) -> None:
    said = "<think>Perhaps 2, or 10.</think>"
    with VlmServer(dialect, ANSWERS, reasoning=said) as server:
        cakes, free = ask(connect(server.url), CAKES, FREE)
        assert spoken(cakes.raw) == "3" and spoken(free.raw).startswith("I see")
        assert cakes.probabilities is not None and cakes.probabilities[3] == pytest.approx(0.7, abs=0.01)
        server.echo = True
        with pytest.raises(ModelError, match="only thinks aloud"):
            ask(connect(server.url), CAKES)
        server.reasoning = "<think>It goes on and on"
        with pytest.raises(ModelError, match="only thinks aloud"):
            ask(connect(server.url), FREE)


def test_reasoning_apart_leaves_no_probabilities_that_may_be_of_the_reasoning(server: VlmServer) -> None:
    server.reasoning, server.apart = "Let me count.", "reasoning_content"
    assert ask(connect(server.url), CAKES) == [Reply("3", None)]


def test_free_answers_end_at_their_length(server: VlmServer) -> None:
    assert ask(connect(server.url), Prompt("What is it?", (), 2))[0].raw == "I see"


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(ModelError, match=f"No server answers at {url}.*start it"):
            connect(url)


def test_the_key_comes_from_the_environment(server: VlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.key = "sesame"
    with pytest.raises(ModelError, match="PROMPT_EXTEND_API_KEY"):
        connect(server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    assert ask(connect(server.url), DOOR)[0].raw == "yes"
    monkeypatch.setenv("PROMPT_EXTEND_API_KEY", "wrong")
    with pytest.raises(ModelError) as caught:
        connect(server.url)
    assert "wrong" not in str(caught.value)


def test_other_programs_keys_are_not_sent_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert api.api_key("http://192.168.1.5:8000/v1") == ""
    assert api.api_key("https://example.org/v1") == api.api_key("http://localhost:1234/v1") == "theirs"
    monkeypatch.setenv("PROMPT_EXTEND_API_KEY", "ours")
    assert api.api_key("http://192.168.1.5:8000/v1") == "ours"


def test_models_are_chosen_by_name(server: VlmServer) -> None:
    assert "seer-2b" in connect(server.url).device, "the first that is no embedding model"
    with pytest.raises(ModelError, match="no model 'oracle'; it has: text-embed-1, seer-2b"):
        connect(server.url, model="oracle")
    server.models = ("llava:latest",)
    assert "llava:latest" in connect(server.url, model="llava").key
    server.models = ()
    with pytest.raises(ModelError, match="--vlm-model"):
        connect(server.url)
    assert "mine" in connect(server.url, model="mine").key


def test_a_model_that_vanishes_stops_the_run(server: VlmServer) -> None:
    vlm = connect(server.url)
    server.models = ("another",)
    with pytest.raises(ModelError, match="model seer-2b not found"):
        ask(vlm, CAKES)


def test_what_is_no_api_is_said_to_be_none(server: VlmServer) -> None:
    assert connect(server.url.removesuffix("/v1")).key, "/v1 is added"
    with pytest.raises(ModelError):
        connect(server.url.removesuffix("/v1") + "/web")


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("HTTPS://h/v1/", "https://h/v1"),
        ("http://h/api/v1/chat/completions", "http://h/api/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_addresses_are_made_regular(given: str, base: str) -> None:
    assert normal_url(given) == base


@pytest.mark.parametrize(
    "given", ["http://", "http://h:port/v1", "http://me:secret@h/v1", "http://h/v1?key=1"]
)
def test_bad_addresses_are_refused_without_telling_passwords(given: str) -> None:
    with pytest.raises(ModelError) as caught:
        normal_url(given)
    assert "secret" not in str(caught.value)


def test_offline_asks_this_machine_only(server: VlmServer) -> None:
    assert load_vlm(server.url, offline=True, vlm_model="seer-2b").parallel > 1
    with pytest.raises(ModelError, match="offline"):
        load_vlm("https://models.example/v1", offline=True)


def test_closing_ends_the_waiting(server: VlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.faults = deque([status(503, Retry_After="30")])
    vlm = connect(server.url)
    threading.Timer(0.2, vlm.close).start()
    begun = time.monotonic()
    with pytest.raises(ImageError):
        vlm.look(PICTURE).ask([CAKES])
    assert time.monotonic() - begun < 5


def log(**likely: float) -> tuple[tuple[str, float], ...]:
    return tuple((t, math.log(p)) for t, p in likely.items())


def test_probabilities_follow_the_tokens() -> None:
    cases: list[tuple[list[Token], dialects.Style, tuple[float, ...] | None]] = [
        ([Token("Yes", math.log(0.8), log(Yes=0.8, No=0.1, Maybe=0.1))], PLAIN, (8 / 9, 1 / 9)),
        ([Token(" no", math.log(0.6), ((" no", math.log(0.6)), ("\nTrue", math.log(0.4))))], PLAIN, (0.4, 0.6)),
        ([Token("Well", -0.01, (("Well", -0.01), ("yes", -9.0)))], PLAIN, None),
        ([Token("yes", -0.1, ())], PLAIN, None),
        ([], PLAIN, None),
        (
            [Token('{"answer":', 0.0, ()), Token(' "y', math.log(0.7), ((' "y', math.log(0.7)), (' "n', math.log(0.3))))],
            JSON_SCHEMA,
            (0.7, 0.3),
        ),
        ([Token("yes", -0.1, log(yes=0.9, no=0.1))], JSON_SCHEMA, None),
    ]  # fmt: skip
    for tokens, style, expected in cases:
        found = dialects.probabilities(tokens, YES_NO, style)
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-6))


def test_an_answer_that_goes_on_is_not_its_beginning() -> None:
    one = Token("1", math.log(0.9), log(**{"1": 0.9, "2": 0.1}))
    for follow, best in ((" cake", 1), (".", 1), ("0", 10)):
        second = Token(follow, math.log(0.9), ((follow, math.log(0.9)), ("5", math.log(0.1))))
        found = dialects.probabilities([one, second], COUNTS, PLAIN)
        assert found is not None and max(range(11), key=found.__getitem__) == best
    sixty = Token("0", math.log(0.6), (("0", math.log(0.6)), ("<|im_end|>", math.log(0.4))))
    found = dialects.probabilities([one, sixty], COUNTS, PLAIN)
    assert found is not None
    assert (found[10], found[1], found[2]) == pytest.approx((0.54, 0.36, 0.1))


@pytest.mark.parametrize("bad", [None, {}, {"content": None}, {"content": [{"token": "a"}]}, [1], "x"])
def test_odd_logprobs_are_none(bad: Any) -> None:
    assert dialects.tokens_of(bad) == []


def test_names_with_special_characters_survive_every_constraint() -> None:
    names = ('a "quoted" one', "c++ (or c|d)", "half.way\\")
    answers = {"odd": {names[1]: 1.0}}
    for dialect in OWNERS:
        with VlmServer(dialect, answers) as server:
            prompt = Prompt("odd?", tuple((n,) for n in names))
            if dialect == "sglang":  # its alternatives are told apart by the test server at each |
                prompt = Prompt("odd?", (("c++",), ("half.way",)))
                server.answers = {"odd": {"c++": 1.0}}
            assert ask(connect(server.url), prompt)[0].raw in ("c++", names[1])


def test_half_an_object_is_no_answer() -> None:
    with VlmServer("ollama", ANSWERS) as server:
        vlm = connect(server.url)
        server.spaces = 200
        with pytest.raises(ImageError, match="cut before its end"):
            ask(vlm, CAKES)
        assert server.requests[0]["max_tokens"] >= 64, "the words of the object may be letters to a tokenizer"


def test_a_long_answer_has_the_room_it_needs(server: VlmServer) -> None:
    long = "blue " * 40 + "hair"
    server.answers = {"hair": {long: 1.0}}
    assert ask(connect(server.url), Prompt("What hair?", ((long,), ("no hair",))))[0].raw == long
