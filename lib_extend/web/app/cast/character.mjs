// One character's card: who it is, what it looks like, where it is.

import { h } from "../dom.mjs";
import { menu } from "../parts/button.mjs";
import { colorOf } from "../parts/persons.mjs";
import { additions, joined } from "./additions.mjs";
import { amount, area, labelled, line } from "./fields.mjs";
import { placedLoras } from "./placed_loras.mjs";
import { loadCharacter, saveCharacter } from "./library.mjs";
import { LEAST } from "./places.mjs";
import { blankCharacter, LETTERS } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.character;
const SIDES = ["left", "top", "right", "bottom"];

/** The card of the character at `at`; it shows whoever is there. */
export function characterCard(context, stage, at) {
  const { store } = context;
  const letter = LETTERS[at];
  const now = () => store.state.characters[at] ?? blankCharacter();
  const field = (name) => ({ get: () => now()[name], set: (value) => store.character(at, { [name]: value }) });
  const go = (to) => {
    store.move(at, to);
    card.parentNode?.children[to]?.querySelector(".name-field").focus();
  };
  const name = line(store, { ...field("name"), placeholder: words.name, label: words.nameOf(letter) });
  name.classList.add("name-field");
  const weight = amount(store, { ...field("weight"), low: 0, high: 2, step: 0.05, label: words.weightOf(letter) });
  weight.title = words.weightHint;
  const more = menu(
    "⋮",
    [
      [words.up, () => go(at - 1), "up"],
      [words.down, () => go(at + 1), "down"],
      [words.save, () => saveCharacter(context, at)],
      [words.load, () => loadCharacter(context, at)],
      [words.remove, () => store.remove(at), "danger"],
    ],
    { kind: "plain small icon", label: words.menu(letter) },
  );
  const say = (word) => {
    const { prompt } = now();
    const has = prompt.split(",").some((tag) => tag.trim().toLowerCase() === word.toLowerCase());
    if (!has) store.character(at, { prompt: prompt.trim() ? `${prompt.trim().replace(/,$/, "")}, ${word}` : word });
  };
  const found = h("div", { class: "row tight found", hidden: true });
  const card = h(
    "li",
    { class: "character", style: `--color:${colorOf(at)}`, data: { at } },
    h(
      "div",
      { class: "row tight who" },
      h("button", { type: "button", class: "letter", "aria-label": words.show(letter), title: words.show(letter), on: { click: () => stage.focus(at) } }, letter),
      h("div", { class: "grow" }, name),
      h("label", { class: "weight" }, h("span", { class: "hint" }, words.weight), weight),
      more,
    ),
    area(store, { ...field("prompt"), label: words.promptOf(letter), placeholder: words.prompts[at] }),
    h(
      "div",
      { class: "extras" },
      additions(context, { place: String(at), label: letter, keep: (more) => store.character(at, { prompt: joined(now().prompt, more) }) }),
      placedLoras(context, { ...field("loras"), label: words.lorasOf(letter), say: (word) => say(word) }),
    ),
    found,
    h(
      "details",
      {},
      h("summary", { class: "hint" }, words.more),
      h(
        "div",
        { class: "stack close" },
        labelled(words.negative, area(store, { ...field("negative"), rows: 1, placeholder: words.negativeHint })),
        h("div", { class: "sides", role: "group", "aria-label": words.place(letter) }, SIDES.map((side, i) => labelled(words[side], edge(store, now, at, i)))),
      ),
    ),
  );
  card.addEventListener("focusin", () => store.select(at));
  card.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    go(event.key === "ArrowUp" ? at - 1 : at + 1);
  });
  const show = () => {
    const count = store.state.characters.length;
    const items = more.querySelectorAll("[role=menuitem]");
    items[0].disabled = at === 0;
    items[1].disabled = at >= count - 1;
  };
  const result = () => {
    const told = store.result?.characters.find((c) => c.letter === letter);
    found.hidden = !told;
    found.replaceChildren(
      ...(told ? [...told.found.map((t) => mark(t, true)), ...told.missing.map((t) => mark(t, false))] : []),
    );
  };
  store.on("change", ({ live }) => !live && show());
  store.on("result", result);
  show();
  result();
  return card;
}

const mark = (tag, there) =>
  h("span", { class: `badge ${there ? "good" : "bad"}`, title: there ? words.isThere : words.isMissing }, `${there ? "✓" : "✗"} ${tag}`);

/** One side of the box in percent; it never crosses the other one. */
function edge(store, now, at, i) {
  const get = () => Math.round(now().box[i] * 1000) / 10;
  const set = (percent) => {
    const box = [...now().box];
    const value = percent / 100;
    box[i] = i < 2 ? Math.min(value, box[i + 2] - LEAST) : Math.max(value, box[i - 2] + LEAST);
    store.character(at, { box: box.map((v) => Math.round(v * 1000) / 1000) });
  };
  return amount(store, { get, set, low: 0, high: 100, step: 1 });
}
