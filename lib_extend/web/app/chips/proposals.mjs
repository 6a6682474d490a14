// Tags that a caption may lack, as an expander proposes them from those that are there. A click adds one to the caption that
// is shown; nothing is written by itself.

import { api } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { Session } from "../session.mjs";
import { texts } from "../texts.mjs";

const words = texts.proposals;
const KEY = "expander";
/** So many tags at the most, and the length that leaves room for more. */
const LENGTHS = [
  [10, "short"],
  [28, "long"],
  [Infinity, "very_long"],
];

/** Proposals for the caption of an editor (`chips/editor.mjs`). `reset()`: another caption is shown now. */
export function proposals(app, caption) {
  const session = new Session();
  let request = null;
  const list = h("div", { class: "chips", role: "group", "aria-label": words.title, hidden: true });
  const told = h("span", { class: "hint", role: "status" });
  const ask = button(words.ask, () => propose(), "small", { title: words.hint });
  const stop = button(texts.one.stop, () => request?.abort(), "plain small", { hidden: true });
  const select = h("select", { class: "expander", "aria-label": words.expander, title: words.expander, on: { change: () => session.set(KEY, select.value) } });
  const element = h("div", { class: "stack close proposals" }, h("div", { class: "row tight" }, ask, select, stop, told), list);

  const options = () => {
    const models = app.models?.expanders ?? [];
    const chosen = session.get(KEY) ?? models.find((m) => m.here && m.name !== "sketch")?.name ?? models[0]?.name ?? "";
    fill(select, models.map((m) => h("option", { value: m.name, title: m.note }, m.here ? m.name : words.toDownload(m.name))));
    select.value = chosen;
    select.hidden = models.length === 0;
  };
  const propose = async () => {
    request?.abort();
    const mine = (request = new AbortController());
    const prompt = caption.text;
    const number = (caption.lines ?? []).reduce((sum, line) => sum + line.pieces.length, 0);
    told.textContent = words.working;
    stop.hidden = false;
    try {
      const body = { prompt, expander: select.value || undefined, target: LENGTHS.find(([most]) => number <= most)[1] };
      const { drafts } = await api.post("expand", body, mine.signal);
      if (mine !== request) return;
      draw(drafts[0].tags);
    } catch (error) {
      if (mine === request) told.textContent = error.name === "AbortError" ? "" : error.message;
    } finally {
      if (mine === request) stop.hidden = true;
    }
  };
  const draw = (tags) => {
    told.textContent = tags.length ? "" : words.none;
    list.hidden = tags.length === 0;
    fill(
      list,
      tags.map((tag) => {
        const chip = h("button", { type: "button", class: "chip", title: words.add(tag.replaceAll("_", " ")) }, `+ ${tag.replaceAll("_", " ")}`);
        chip.addEventListener("click", () => {
          caption.addNamed(tag);
          const next = chip.nextElementSibling ?? chip.previousElementSibling;
          chip.remove();
          (next ?? ask).focus();
          list.hidden = list.childElementCount === 0;
        });
        return chip;
      }),
    );
  };
  element.reset = () => {
    request?.abort();
    request = null;
    stop.hidden = true;
    told.textContent = "";
    list.hidden = true;
    fill(list);
  };
  app.on("models", options);
  options();
  return element;
}
