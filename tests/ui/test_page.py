"""The page itself, without models: folders, presets, errors, keyboard, widths, and that nothing jumps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_extend.config import LETTERED, TEMPLATE_FIELDS, TagConfig, format_names, settings
from lib_extend.datasets.question_files import own_questions
from lib_extend.questions.builtin import BUILTIN
from tests.ui.conftest import Server
from tests.ui.page import Page

VIEWS = ("Tag a folder", "One picture", "Runs")
MODULE = "async name => Object.fromEntries(Object.entries(await import(`/prompt-extend/v1/page/${name}`)))"


def test_a_folder_is_opened_looked_for_and_remembered(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    (folder / "inner").mkdir()
    page = Page(window(), server)
    page.open(folder)
    said = page.app.locator(".folder-bar [role=status]").inner_text()
    assert said.startswith("12 pictures · no captions yet") and "×" in said

    page.click("Browse …")
    dialog = page.app.locator("dialog")
    dialog.locator(".folder-entry", has_text="inner").click()
    page.window.wait_for_function(
        "() => document.querySelector('prompt-extend-app').shadowRoot.querySelector('dialog input').value.endsWith('inner')"
    )
    page.agree("Choose this folder")
    page.app.get_by_text("This folder holds no pictures").wait_for()

    # a reload keeps the folder, and the other is one click away
    page.window.reload()
    page.app.get_by_text("This folder holds no pictures").wait_for()
    page.click("Recent folders")
    page.app.get_by_role("menuitem").filter(has_text=str(folder)).first.click()
    page.app.locator(".folder-bar [role=status]", has_text="12 pictures").wait_for()


def test_what_is_wrong_is_said_in_a_sentence(
    window: Callable[..., Any], server: Server, tmp_path: Path
) -> None:
    page = Page(window(), server)
    field = page.app.get_by_label("Dataset folder")
    field.fill(str(tmp_path / "nowhere"))
    field.press("Enter")
    alert = page.app.locator(".folder-bar [role=alert]")
    alert.wait_for()
    assert "nowhere" in alert.inner_text() and alert.inner_text().rstrip().endswith(".")


def test_a_refused_setting_is_shown_where_it_is(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    page = Page(window(), server)
    page.open(folder)
    page.app.get_by_label("Format").select_option("template")
    page.app.get_by_label("Template").fill("{people}, {nonsense}")
    page.start()
    error = page.app.locator("[data-setting=format] .error")
    error.wait_for()
    assert "{nonsense}" in error.inner_text()
    # half typed numbers are no values; what is out of range says so
    number = page.app.get_by_label("Accept answers above")
    number.fill("7")
    assert "0 to 1" in page.app.locator("[data-setting=answer_threshold] .error").inner_text()
    # letters need persons: choosing one turns on the other
    page.app.get_by_label("Format").select_option("greek")
    assert page.app.get_by_label("Say whose tag is whose").is_checked()
    page.app.get_by_label("Say whose tag is whose").uncheck()
    assert page.app.get_by_label("Format").input_value() == "plain"


def test_own_questions_are_checked_and_kept(window: Callable[..., Any], server: Server, folder: Path) -> None:
    page = Page(window(), server)
    page.open(folder)
    page.sketch()
    field = page.app.get_by_label("Add a question")
    field.fill("Is it raining? [yes")
    field.press("Enter")
    error = page.app.locator("[data-setting=ask] .error")
    error.wait_for()
    assert error.inner_text()
    field.fill("Is it raining? [yes, no] -> rain")
    field.press("Enter")
    page.app.locator(".chip.own", has_text="raining").wait_for()
    page.app.locator(".chip[data-question=furniture]").click()
    config = page.app.evaluate("e => e.app.config()")
    assert config["question"] == ["Is it raining? [yes, no] -> rain"]
    assert config["ask"] == ["count", "color", "floor", "door"]
    TagConfig.from_dict(config)


def test_a_question_is_written_changed_and_removed(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    page = Page(window(), server)
    page.open(folder)
    page.sketch()
    app, keys = page.app, page.window.keyboard
    page.click("Write a question …")
    form = app.locator("dialog.question-form")
    form.get_by_label("Question", exact=True).fill("What season is it in the image?")
    form.get_by_label("Only when").fill("outdoors, blue sky")
    form.get_by_label("Answers").fill("summer")
    form.get_by_role("button", name="Save").click()
    error = form.locator("[data-field=answers] .error")
    error.wait_for()
    assert "needs answers" in error.inner_text()
    form.get_by_label("Answers").fill("late winter")
    form.get_by_label("Answers").press("Enter")
    form.get_by_label("Tag to write").fill("{answr}")
    form.get_by_role("button", name="Save").click()
    form.locator("[data-field=tag] .error", has_text="{answr} stands for nothing").wait_for()
    form.get_by_label("Tag to write").fill("{answer}")
    form.get_by_role("button", name="Save").click()
    form.wait_for(state="detached")
    chip = app.locator(".chip[data-question=season]")
    assert chip.get_attribute("aria-pressed") == "true"
    file = server.data / "questions" / "season.toml"
    (read,) = own_questions([str(file)], [], BUILTIN)[len(BUILTIN) :]
    assert (read.when, read.answers, read.tag) == (
        ("outdoors", "blue_sky"), ("summer", "late_winter"), "{answer}"
    )  # fmt: skip
    assert app.evaluate("e => e.app.config().question_file") == [str(file)]

    # still there after a reload; another name, another answer
    page.window.reload()
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    chip.click()
    app.get_by_label("Change the question season").click()
    assert form.get_by_label("Question", exact=True).input_value() == "What season is it in the image?"
    form.get_by_label("Name").fill("count")
    keys.press("Enter")
    form.get_by_role("button", name="Save").click()
    form.locator("[data-field=name] .error", has_text="already").wait_for()
    form.get_by_label("Name").fill("weather")
    form.get_by_role("button", name="Save").click()
    form.wait_for(state="detached")
    other = server.data / "questions" / "weather.toml"
    assert other.exists() and not file.exists()
    assert app.evaluate("e => e.app.config().question_file") == [str(other)]

    app.get_by_label("Change the question weather").click()
    form.get_by_role("button", name="Remove", exact=True).last.click()
    app.locator("dialog footer").last.get_by_role("button", name="Remove").click()
    app.locator(".chip[data-question=weather]").wait_for(state="detached")
    assert not other.exists() and app.evaluate("e => e.app.config().question_file ?? []") == []


def test_presets_are_saved_shared_and_deleted(
    window: Callable[..., Any], server: Server, folder: Path, tmp_path: Path
) -> None:
    page = Page(window(), server)
    page.open(folder)
    page.app.get_by_label("General tags above").fill("0.4")
    page.app.get_by_text("Overwrite", exact=True).click()
    choose(page, "Save as preset …")
    page.app.locator("dialog input").fill("Mine & others")
    page.agree("Save")
    saved = server.data / "presets" / "Mine & others.json"
    page.app.get_by_label("Preset").locator("option", has_text="Mine").wait_for(state="attached")
    assert json.loads(saved.read_text(encoding="utf-8"))["config"] == {
        "threshold": 0.4,
        "existing": "overwrite",
    }

    with page.window.expect_download() as download:
        choose(page, "Download as file")
    shared = tmp_path / "shared.json"
    download.value.save_as(shared)

    choose(page, "Reset all")
    assert page.app.evaluate("e => e.app.config()") == {}
    choose(page, "Delete preset", after="Mine & others")
    page.agree("Delete")
    page.app.locator(".toast", has_text="deleted").wait_for()
    assert not saved.exists()

    # a file from somewhere else
    page.app.locator("input[type=file][accept*=json]").set_input_files(shared)
    page.app.locator(".toast", has_text="loaded").wait_for()
    assert page.app.evaluate("e => e.app.config()") == {"threshold": 0.4, "existing": "overwrite"}
    assert page.app.get_by_label("General tags above").input_value() == "0.4"
    (tmp_path / "no.json").write_text("[1, 2", encoding="utf-8")
    page.app.locator("input[type=file][accept*=json]").set_input_files(tmp_path / "no.json")
    page.app.locator(".toast.bad", has_text="no.json").wait_for()


def choose(page: Page, name: str, *, after: str = "") -> None:
    """An entry of the presets' menu; `after` choosing this preset."""
    if after:
        page.app.get_by_label("Preset").select_option(after)
        page.app.locator(".toast", has_text="loaded").wait_for()
    page.app.locator(".presets").get_by_role("button", name="More").click()
    page.app.get_by_role("menuitem", name=name).click()


def test_every_setting_has_a_widget_and_a_default(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    page = Page(window(), server)
    page.open(folder)
    for fold in page.app.locator("details.fold").all():
        fold.locator("summary").click()
        fold.locator("[data-setting]").first.wait_for()
    shown = {e.get_attribute("data-setting") for e in page.app.locator("[data-setting]").all()}
    # `recursive` stands beside the folder, `question` are chips of `ask`, `vlm_model` comes with a server's address
    # the last two come with a second tagger
    several = {"tagger_agreement", "tagger_thresholds"}
    elsewhere = {"recursive", "question", "vlm_model", *several}
    assert shown == {s.name for s in settings(TagConfig)} - elsewhere
    assert page.app.evaluate("e => e.app.config()") == {}
    for name in elsewhere - {"vlm_model"}:
        assert name in page.app.evaluate("e => e.app.settings.map((s) => s.name)")
    page.app.get_by_label("And another tagger …").select_option("wd-vit-v3")
    for name in several:
        page.app.locator(f"[data-setting={name}]").wait_for()


def test_the_page_knows_the_names_of_the_config(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    page = Page(window(), server)
    page.open(folder)
    formats = {"names": [*format_names()], "lettered": [*LETTERED], "fields": [*TEMPLATE_FIELDS]}
    known = page.app.evaluate("e => e.app.formats")
    assert {name: known[name] for name in formats} == formats
    assert [s["name"] for s in known["styles"]] == [*format_names()]
    page.app.locator("summary", has_text="Caption").click()
    shown = page.app.locator("[data-setting=sort]")
    assert "Order of tags" in shown.inner_text()
    shown = page.app.locator("[data-setting=format]")
    assert shown.locator(".chip").all_inner_texts() == [f"{{{f}}}" for f in TEMPLATE_FIELDS]
    offered = shown.locator("option").evaluate_all("all => all.map(o => o.value)")
    assert offered == [*format_names(), "template"]
    texts = page.window.evaluate(MODULE, "texts.mjs")
    known = {s.name: s for s in settings(TagConfig)}
    for name, words in texts["choices"].items():
        if known[name].choices:
            assert set(words) == set(known[name].choices or ())


@pytest.mark.parametrize(
    ("before", "after", "marks"),
    [
        ("a, b, c", "a, c", ["=a", "-b", "=c"]),
        ("a, b", "b, a", None),
        ("", "x", ["+x"]),
        ("a, b, c, d", "a, x, c, d, e", ["=a", "-b", "+x", "=c", "=d", "+e"]),
        ("1girl,  solo", "1girl, solo", ["=1girl", "=solo"]),
    ],
)
def test_what_differs_between_two_captions(
    window: Callable[..., Any], server: Server, before: str, after: str, marks: list[str] | None
) -> None:
    page = window()
    page.goto(server.address)
    rows = page.evaluate(
        "async ([a, b]) => (await import('/prompt-extend/v1/page/parts/diff.mjs')).compare(a, b)",
        [before, after],
    )
    found = [mark + piece for mark, piece in rows]
    if marks is None:
        assert len(found) == 3 and sum(f[0] == "=" for f in found) == 1
    else:
        assert found == marks
    split = [t.strip() for t in before.split(",") if t.strip()]
    assert [f[1:] for f in found if f[0] in "=-"] == split


def test_names_that_are_not_utf8_reach_their_thumbnail(window: Callable[..., Any], server: Server) -> None:
    page = window()
    page.goto(server.address)
    ids = page.evaluate(
        "async (names) => { const m = await import('/prompt-extend/v1/page/api.mjs'); return names.map(m.imageId) }",
        ["a b/c#1.png", "é.png", "日本.webp", "100%.png"],
    )
    assert ids == ["a%20b/c%231.png", "%C3%A9.png", "%E6%97%A5%E6%9C%AC.webp", "100%25.png"]
    # a lone byte 0xE9, as Python writes it
    odd = "async () => (await import('/prompt-extend/v1/page/api.mjs')).imageId('\\udce9.png')"
    assert page.evaluate(odd) == "%E9.png"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_and_does_not_jump(
    window: Callable[..., Any], server: Server, folder: Path, width: int, dark: bool
) -> None:
    tab = window(width, dark=dark)
    tab.add_init_script(
        "window.jumps = []; new PerformanceObserver((list) => { for (const e of list.getEntries())"
        " if (!e.hadRecentInput) window.jumps.push(e.value) }).observe({ type: 'layout-shift', buffered: true })"
    )
    server = Server(f"{server.address}?__theme={'dark' if dark else 'light'}", server.data, server.process)
    page = Page(tab, server)
    page.open(folder)
    page.app.locator(".sample .thumb").wait_for()
    assert (page.app.get_attribute("data-theme") == "dark") == dark
    for view in VIEWS:
        page.view(view)
        page.app.locator(f"[role=tab][aria-label='{view}'][aria-selected=true]").wait_for()
        tab.wait_for_timeout(300)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, view
        assert contrast(page) >= 4.5, view
    tab.reload()
    page.app.locator(".folder-bar").wait_for()
    tab.wait_for_timeout(500)
    # Chrome calls a page good below 0.1
    assert sum(tab.evaluate("window.jumps")) < 0.1


def contrast(page: Page) -> float:
    """The contrast of muted text on the page's cards."""
    found = page.app.evaluate(
        """e => { const root = e.shadowRoot;
        const card = root.querySelector('.card'); const probe = document.createElement('span');
        probe.className = 'hint'; card.append(probe);
        const draw = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const read = (c, under) => { draw.fillStyle = '#fff'; draw.fillRect(0, 0, 1, 1); if (under) { draw.fillStyle = under;
            draw.fillRect(0, 0, 1, 1); } draw.fillStyle = c; draw.fillRect(0, 0, 1, 1); return [...draw.getImageData(0, 0, 1, 1).data]; };
        const back = getComputedStyle(card).backgroundColor;
        const text = getComputedStyle(probe).color; probe.remove(); return [read(text, back), read(back)] }"""
    )
    light, dark = sorted((luminance(c[:3]) for c in found), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: list[int]) -> float:
    """WCAG's relative luminance of an sRGB color."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_by_keyboard_alone(window: Callable[..., Any], server: Server, folder: Path) -> None:
    page = Page(window(), server)
    page.open(folder)
    page.app.get_by_role("tab", name="Tag a folder").focus()
    page.window.keyboard.press("End")
    page.app.locator(".runs-grid, .empty").first.wait_for()
    assert focused(page) == "Runs"
    page.window.keyboard.press("Home")
    page.app.locator(".tag-grid").wait_for()
    assert focused(page) == "Tag a folder"
    # every step of Tab lands on something that says what it is and shows that it has the focus
    reached = []
    for _ in range(45):
        page.window.keyboard.press("Tab")
        name, visible = page.app.evaluate(
            """e => { const f = e.shadowRoot.activeElement; if (!f) return ['', true];
            const s = getComputedStyle(f.closest('.tokens') ?? f.closest('.segments label') ?? f);
            const label = f.labels?.[0]?.textContent;
            return [f.getAttribute('aria-label') || label || f.textContent || f.title, s.boxShadow !== 'none' || s.outlineStyle !== 'none'] }"""
        )
        if not name:
            break
        assert visible, name
        reached.append(name.strip())
    assert len(reached) > 20
    assert {"Browse …", "Tagger", "Subfolders too"} <= set(reached)
    # Escape closes a dialog and a menu
    page.click("Browse …")
    page.app.locator("dialog").wait_for()
    page.window.keyboard.press("Escape")
    page.app.locator("dialog").wait_for(state="detached")


def focused(page: Page) -> str:
    return str(page.app.evaluate("e => e.shadowRoot.activeElement.getAttribute('aria-label')"))


def test_a_bug_report_is_made_and_copied(window: Callable[..., Any], server: Server) -> None:
    page = Page(window(), server)
    page.window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.app.locator(".machine").click()
    page.click("Make and copy")
    report = page.app.locator("dialog .report")
    report.wait_for()
    text = report.inner_text()
    assert all(f"{title}:" in text for title in ("Prompt Extend", "Devices", "Packages", "Models run"))
    page.app.get_by_text("Copied.").wait_for()
    assert page.window.evaluate("navigator.clipboard.readText()") == text


def test_a_server_that_goes_away_is_told(
    window: Callable[..., Any], serve: Callable[..., Server], folder: Path
) -> None:
    mine = serve()
    page = Page(window(), mine)
    page.open(folder)
    mine.process.terminate()
    mine.process.wait(20)
    page.click("Browse …")
    alert = page.app.locator("dialog [role=alert]")
    alert.wait_for()
    assert "does not answer" in alert.inner_text()


def test_only_named_folders_where_others_can_reach_it(
    window: Callable[..., Any], serve: Callable[..., Server], folder: Path, tmp_path: Path
) -> None:
    shared = serve("--host", "0.0.0.0", "--root", str(folder))
    page = Page(window(), shared)
    page.open(folder)
    page.app.get_by_label("Dataset folder").fill(str(tmp_path))
    page.app.get_by_label("Dataset folder").press("Enter")
    alert = page.app.locator(".folder-bar [role=alert]")
    alert.wait_for()
    assert "--prompt-extend-root" in alert.inner_text() or "--root" in alert.inner_text()
