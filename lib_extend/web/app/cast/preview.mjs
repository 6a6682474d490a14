// The prompt as the WebUI will be given it, with its tokens, while the panel is filled.

import { api } from "../api.mjs";
import { copy } from "../bridge.mjs";
import { fill, h, later } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { note } from "../parts/states.mjs";
import { negative, prompt, size } from "./host.mjs";
import { texts } from "./texts.mjs";

const words = texts.preview;
const WAIT = 250;
const AGAIN = 3000;

export function preview({ tab, store, place, say }) {
  const tokens = h("span", { class: "badge cut", hidden: true });
  const copyButton = button(
    words.copy,
    async () => {
      await copy(made.prompt, place);
      say(words.copied, "good");
    },
    "plain small",
    { hidden: true },
  );
  const text = h("div", { class: "compiled" });
  const notes = h("div", { class: "stack close" });
  const regions = h("details", { hidden: true }, h("summary", { class: "hint" }), h("ul", { class: "stack close" }));
  const element = h(
    "section",
    { class: "preview stack close", "aria-label": words.title },
    h("div", { class: "row title one-line" }, h("h3", {}, words.title), tokens, h("span", { class: "grow" }), copyButton),
    text,
    regions,
    notes,
  );
  let made = null;
  let request = null;
  let asked = "";

  const body = () => {
    const [width, height] = size(tab);
    return { ...store.state, enabled: true, prompt: prompt(tab), negative_prompt: negative(tab), width, height };
  };
  const ask = later(async () => {
    request?.abort();
    const mine = (request = new AbortController());
    element.setAttribute("aria-busy", "true");
    try {
      const answer = await api.post("compile", body(), mine.signal);
      if (mine === request) show(answer);
    } catch (error) {
      if (error.name === "AbortError" || mine !== request) return;
      if (error.status === 0) setTimeout(() => (asked = ""), AGAIN); // nobody answered: asked again then
      failed(error);
    }
    if (mine === request) element.removeAttribute("aria-busy");
  }, WAIT);
  const look = () => {
    const key = store.state.enabled ? JSON.stringify(body()) : "off";
    if (key === asked) return;
    asked = key;
    if (key === "off") off();
    else ask();
  };

  const off = () => {
    ask.cancel();
    request?.abort();
    made = null;
    tokens.hidden = copyButton.hidden = regions.hidden = true;
    fill(notes);
    fill(text, h("p", { class: "hint" }, words.off));
  };
  const failed = (error) => {
    copyButton.hidden = tokens.hidden = true;
    fill(notes, note("bad", h("span", { role: "alert" }, error.message)));
  };
  const show = (answer) => {
    made = answer;
    tokens.hidden = copyButton.hidden = false;
    tokens.textContent = words.tokens(answer.tokens);
    tokens.title = words.tokensHint;
    fill(
      text,
      answer.prompt ? h("p", { class: "text" }, answer.prompt) : h("p", { class: "hint" }, words.nothing),
      store.state.expansion?.when === "generation" && h("p", { class: "hint" }, words.later),
      answer.negative_prompt && h("p", { class: "text muted" }, h("span", { class: "strong" }, words.negative), " ", answer.negative_prompt),
    );
    regions.hidden = answer.regions.length === 0;
    regions.firstChild.textContent = words.regions(answer.regions.length);
    fill(
      regions.lastChild,
      answer.regions.map((r) =>
        h(
          "li",
          { class: "region" },
          h("span", { class: "strong" }, r.letter),
          h("span", { class: "wrap" }, r.prompt, r.negative && h("span", { class: "muted" }, ` — ${words.not} ${r.negative}`)),
          h("span", { class: "hint" }, String(r.tokens)),
        ),
      ),
    );
    fill(notes, answer.notes.map((n) => note("warn", h("span", {}, n))));
  };
  store.on("change", ({ live }) => !live && look());
  store.on("look", look);
  look();
  return element;
}
