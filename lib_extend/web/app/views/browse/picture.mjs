// One picture of the grid, large, with its caption to edit and all that is known of it.

import { captionChips } from "../../chips/editor.mjs";
import { proposals } from "../../chips/proposals.mjs";
import { api, imageId, original, thumb } from "../../api.mjs";
import { fill, h } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { dialog } from "../../parts/dialog.mjs";
import { diff } from "../../parts/diff.mjs";
import { personsOn } from "../../parts/persons.mjs";
import { loading, note, trouble } from "../../parts/states.mjs";
import { answerList } from "../../parts/tags.mjs";
import { bytes, texts } from "../../texts.mjs";
import { droppedList } from "../curate/one_picture.mjs";
import { whyNot } from "./why_not.mjs";

const words = texts.picture;
const SURE = 0.8;

/** Show the n-th picture of `pages`. `change(id, values)` is told what was saved. A promise of the last place shown. */
export async function openPicture(app, pages, first, change) {
  const folder = app.folder.id;
  let place = first;
  let row = null;
  let before = "";
  let request = null;
  let saving = null; // what is being written, while it is
  const figure = h("div", { class: "large" });
  const area = captionChips(app);
  const missing = proposals(app, area);
  const count = h("span", { class: "hint" });
  const clash = h("div", {});
  const facts = h("div", { class: "stack wide" });
  const tags = h("div", { class: "stack wide" });
  const where = h("span", { class: "hint grow" });
  const save = button(words.save, () => write(), "primary small", { disabled: true });
  const back = button("‹", () => go(-1), "icon", { "aria-label": words.previous, title: words.previous });
  const next = button("›", () => go(1), "icon", { "aria-label": words.next, title: words.next });
  const box = dialog(app.place, words.title, [
    figure,
    h(
      "div",
      { class: "beside stack wide" },
      h("div", { class: "row nav" }, back, next, where),
      h("div", { class: "stack close" }, area, missing, h("div", { class: "row" }, h("span", { class: "grow" }, count), save), clash),
      tags,
      facts,
    ),
  ]);
  box.classList.add("picture-dialog");
  const heading = box.querySelector("h2");
  heading.classList.add("cut");

  const dirty = () => row !== null && area.text !== before;
  const write = (over = before) => (saving = put(over));
  const put = async (over) => {
    const { id, name } = row;
    try {
      const { caption, tokens } = await api.put(`datasets/${folder}/images/${imageId(name)}/caption`, { caption: area.text, before: over });
      before = caption;
      if (row?.id !== id) return true;
      area.show(caption);
      fill(clash);
      change(id, { caption, tokens, captioned: true });
      drawState(tokens);
      detail();
      return true;
    } catch (error) {
      fill(clash, error.status === 409 && typeof error.body.caption === "string" ? conflict(error) : trouble(error.message));
      return false;
    }
  };
  const conflict = (error) => {
    const there = error.body.caption;
    return note(
      "warn",
      h(
        "div",
        { class: "stack close" },
        h("p", {}, error.message),
        h("p", { class: "hint" }, words.there),
        h("p", { class: "diff" }, there || texts.sample.noCaption),
        h("p", { class: "hint" }, words.mine),
        diff(there, area.text),
      ),
      button(words.takeTheirs, () => {
        area.show((before = there));
        fill(clash);
        change(row.id, { caption: there });
        drawState();
      }, "small"),
      button(words.takeMine, () => write(there), "small primary"),
    );
  };
  const drawState = (tokens) => {
    save.disabled = !dirty();
    if (dirty()) count.textContent = words.unsaved;
    else if (tokens !== undefined) count.textContent = words.tokens(tokens);
  };
  area.addEventListener("change", () => drawState(row?.tokens));

  /** Ask before typed text is lost: true to go on. */
  const leave = async () => {
    await saving;
    if (!dirty()) return true;
    const ask = dialog(app.place, words.unsavedTitle, h("p", {}, words.unsavedAsk), [
      button(texts.common.cancel, () => ask.close("")),
      button(words.discard, () => ask.close("discard")),
      button(words.save, () => ask.close("save"), "primary"),
    ]);
    ask.querySelector("footer .primary").focus();
    const answer = await ask.closed;
    if (answer === "discard") area.show(before);
    return answer === "discard" || (answer === "save" && (await write()));
  };
  const go = async (step) => {
    const to = place + step;
    if (to < 0 || to >= (pages.total ?? 0) || !(await leave())) return;
    place = to;
    show();
  };

  const show = async () => {
    const mine = place;
    back.disabled = place === 0;
    next.disabled = place >= (pages.total ?? 0) - 1;
    where.textContent = texts.sample.of(place + 1, pages.total ?? 0);
    fill(clash);
    try {
      const found = await pages.get(place);
      if (mine !== place || !box.open) return;
      if (!found) throw new Error(words.gone);
      row = found;
    } catch (error) {
      if (mine === place && error.name !== "AbortError") fill(figure, trouble(error.message, show));
      return;
    }
    heading.textContent = row.name;
    heading.title = row.name;
    missing.reset();
    area.show((before = row.caption), { where: { folder, image: row.id }, tags: [] });
    drawState(row.tokens);
    drawPicture([]);
    fill(tags, loading(120));
    fill(facts);
    detail();
    const ahead = pages.row(place + 1);
    if (ahead) new Image().src = thumb(folder, ahead.name, 1280);
  };
  const drawPicture = (persons) => {
    fill(
      figure,
      row.w
        ? h("a", { href: original(folder, row.name), target: "_blank", rel: "noopener", title: words.whole, style: `--ratio:${row.w}/${row.h}` }, personsOn(thumb(folder, row.name, 1280), row.name, persons, row.w, row.h))
        : h("img", { src: thumb(folder, row.name, 384), alt: row.name }),
    );
  };
  const detail = async () => {
    request?.abort();
    const mine = (request = new AbortController());
    try {
      const found = await api.get(`datasets/${folder}/images/${imageId(row.name)}`, {}, mine.signal);
      if (mine !== request) return;
      // written by somebody else since the list was fetched
      if (!dirty() && found.caption !== before) area.show((before = found.caption));
      area.know(found.tags);
      row.tokens = found.tokens;
      drawState(found.tokens);
      if (found.persons?.length) drawPicture(found.persons);
      draw(found);
    } catch (error) {
      if (mine === request && error.name !== "AbortError") fill(tags, trouble(error.message, detail));
    }
  };
  /** One model's description, with what contradicts it and a way to have it in the caption. */
  const description = ({ text, model, chosen, doubts }) => {
    const use = async () => {
      try {
        await api.post(`datasets/${folder}/review`, { image: row.name, question: "prose/", verdict: "correct", answer: text });
        await detail();
      } catch (error) {
        app.say(error.message, "bad");
      }
    };
    return h(
      "div",
      { class: "stack close description" },
      h("blockquote", { class: "told" }, text),
      doubts.length > 0 && h("p", { class: "hint warn-text" }, words.doubted(doubts.map((d) => d.reason).join("; "))),
      h("p", { class: "row tight" }, h("span", { class: "hint grow cut" }, model), chosen ? h("span", { class: "badge" }, words.inCaption) : button(words.useThis, use, "small")),
    );
  };
  const draw = (found) => {
    const section = (title, ...content) => h("section", { class: "stack close" }, h("h3", {}, title), content);
    // what was asked and is simply not there says nothing
    fill(
      tags,
      found.answers.length > 0 && section(texts.one.answers, answerList(found.answers, SURE)),
      found.descriptions.length > 0 && section(words.descriptions, found.descriptions.map(description)),
      found.dropped.length > 0 &&
        h(
          "details",
          { class: "fold" },
          h("summary", {}, texts.one.dropped, h("span", { class: "badge" }, String(found.dropped.length))),
          h("div", { class: "inside" }, droppedList(found.dropped)),
        ),
    );
    tags.append(whyNot(found, folder));
    fill(facts, h("p", { class: "hint" }, [found.w && `${found.w}×${found.h}`, bytes(found.bytes)].filter(Boolean).join(" · ")));
  };

  box.addEventListener("keydown", (event) => {
    const typing = area.typing;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save.click();
    else if (event.key === "PageDown" || (!typing && event.key === "ArrowRight")) go(1);
    else if (event.key === "PageUp" || (!typing && event.key === "ArrowLeft")) go(-1);
    else return;
    event.preventDefault();
  });
  const close = async () => (await leave()) && box.close("");
  box.addEventListener("cancel", (event) => {
    if (!dirty()) return;
    event.preventDefault();
    close();
  });
  // the × of every dialog asks here first, too
  const cross = box.querySelector("header .button");
  cross.replaceWith(button("×", close, "plain icon small", { "aria-label": texts.common.close }));
  box.tabIndex = -1;
  box.focus(); // so that the arrow keys turn pages, not the caption's lines
  show();
  await box.closed;
  request?.abort();
  return place;
}
