// The filter box: its language, its help, what is wrong with it, and terms that a click puts in.

import { completed } from "../../chips/complete.mjs";
import { fill, h, later, uid } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { dialog } from "../../parts/dialog.mjs";
import { sources, texts } from "../../texts.mjs";
import { has, tagTerm, toggled } from "./terms.mjs";

const words = texts.grid;
const TYPED = 250;

/** The box; `change(filter)` gets every filter. `element.set(filter)`, `.fail(sentence)`, `.focusBox()`, `.help()`. */
export function filterBox(app, change) {
  const fault = uid("fault");
  const input = h("input", {
    type: "search",
    class: "mono",
    placeholder: words.filterHint,
    "aria-label": words.filter,
    "aria-describedby": fault,
    spellcheck: false,
    autocomplete: "off",
    maxLength: 2000,
  });
  const problem = h("p", { class: "bad small wrap fault", id: fault, role: "status" });
  const quick = h("div", { class: "chips", role: "group", "aria-label": words.quick });
  let sent = "";

  const send = () => {
    soon.cancel();
    drawQuick();
    if (input.value.trim() === sent) return;
    sent = input.value.trim();
    change(sent);
  };
  const soon = later(send, TYPED);
  input.addEventListener("input", soon);
  input.addEventListener("search", send);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") send();
    else if (event.key === "?" && !input.value) help();
    else if (event.key === "Escape" && input.value) element.set("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const chip = (text, term, title) =>
    h("button", { type: "button", class: "chip", "aria-pressed": String(has(input.value, term)), title, on: { click: () => element.toggle(term) } }, text);
  const source = h(
    "select",
    { class: "chip", "aria-label": words.source },
    h("option", { value: "" }, words.source),
    Object.entries(sources).filter(([id]) => id !== "option").map(([id, text]) => h("option", { value: id }, text)),
  );
  source.addEventListener("change", () => {
    const now = Object.keys(sources).find((id) => has(input.value, `source:${id}`));
    let filter = input.value;
    if (now) filter = toggled(filter, `source:${now}`);
    element.set(source.value ? toggled(filter, `source:${source.value}`) : filter);
  });
  const missing = h("input", { type: "text", class: "chip", placeholder: words.missing, "aria-label": words.missing, spellcheck: false, autocomplete: "off" });
  const missingTag = completed(missing, { folder: () => app.folder?.id ?? "" });
  missing.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !missing.value.trim()) return;
    element.toggle(tagTerm(missing.value.trim().replaceAll(" ", "_"), "missing"));
    missing.value = "";
  });
  const chips = h("span", { class: "chips" });
  quick.append(chips, source, missingTag);
  const drawQuick = () => {
    fill(chips, words.quickTerms.map(([text, term, title]) => chip(text, term, title)));
    source.value = Object.keys(sources).find((id) => has(input.value, `source:${id}`)) ?? "";
    source.toggleAttribute("data-on", source.value !== "");
  };

  const help = () => {
    const box = dialog(app.place, words.helpTitle, [
      h("p", { class: "muted" }, words.helpHint),
      h(
        "table",
        { class: "filter-help" },
        h("tbody", {}, words.help.map(([term, text]) => h("tr", {}, h("td", {}, use(term, () => box.close(""))), h("td", {}, text)))),
      ),
      h("h3", {}, words.keysTitle),
      h("dl", { class: "facts" }, words.keys.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])),
    ]);
  };
  const use = (term, close) =>
    h("button", { type: "button", class: "link mono", on: { click: () => (close(), element.set(term), input.focus()) } }, term);

  const element = h(
    "div",
    { class: "stack close filter-box", role: "search" },
    h("div", { class: "row bar" }, h("div", { class: "grow typed" }, input, problem), button("?", help, "icon", { "aria-label": words.helpTitle, title: words.helpTitle })),
    quick,
  );
  element.set = (filter) => {
    input.value = filter;
    send();
  };
  element.toggle = (term) => element.set(toggled(input.value, term));
  element.value = () => input.value.trim();
  /** What is wrong with the filter, with the place marked where the sentence names one; "" when nothing is. */
  element.fail = (sentence) => {
    input.toggleAttribute("aria-invalid", sentence !== "");
    if (sentence) input.setAttribute("aria-invalid", "true");
    const place = Number(/character (\d+) of the filter/.exec(sentence)?.[1] ?? 0) - 1;
    const text = input.value.trim();
    fill(
      problem,
      sentence,
      place >= 0 && place < text.length && h("span", { class: "place mono", "aria-hidden": "true" }, text.slice(0, place), h("mark", {}, text.slice(place) || " ")),
    );
  };
  element.focusBox = () => (input.focus(), input.select());
  element.help = help;
  element.restore = (filter) => {
    input.value = filter;
    sent = filter;
    drawQuick();
  };
  drawQuick();
  return element;
}
