// LoRAs that act in one place only: a character's in its box, the background's outside of all boxes.

import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { amount } from "./fields.mjs";
import { MOST_LORAS } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.placed;

/** `get`, `set`: the list in the state. `say`: adds a trigger word to the prompt of the place, where it has one. */
export function placedLoras(context, { get, set, label, say = null }) {
  const { store } = context;
  const rows = h("div", { class: "stack close" });
  const select = h("select", { class: "add-lora", "aria-label": `${label}: ${words.choose}`, title: words.choose, on: { change: () => add(select.value) } });
  const known = (name) => context.loras?.loras.find((l) => l.name === name);
  const put = (at, values) => set(get().map((lora, i) => (i === at ? { ...lora, ...values } : lora)));
  const add = (name) => {
    if (name) set([...get(), { name, weight: 1 }]);
  };

  const row = (lora, at) => {
    const found = known(lora.name);
    const problem = context.loras && !found ? texts.lora.isGone(lora.name) : found?.fits || found?.problem || "";
    const weight = amount(store, { get: () => get()[at]?.weight ?? 1, set: (value) => put(at, { weight: value }), low: -5, high: 5, step: 0.05, label: words.weight(lora.name) });
    const chips = say && found?.triggers?.length ? found.triggers.map((word) => h("button", { type: "button", class: "chip", title: words.say(word), on: { click: () => say(word) } }, `+ ${word}`)) : [];
    return h(
      "div",
      { class: "placed-lora" },
      h(
        "div",
        { class: "row tight" },
        h("span", { class: "grow lora-name", title: found?.title || lora.name }, lora.name),
        h("div", { class: "weight" }, weight),
        button("×", () => set(get().filter((_, i) => i !== at)), "plain small icon", { "aria-label": words.remove(lora.name), title: words.remove(lora.name) }),
      ),
      problem && h("p", { class: "hint bad-text", role: "status" }, problem),
      chips.length > 0 && h("div", { class: "row tight" }, h("span", { class: "hint" }, words.words), chips),
    );
  };
  let shown = null;
  const show = () => {
    const key = JSON.stringify([get().map((l) => l.name), context.loras?.loras.map((l) => [l.name, l.fits])]);
    if (key === shown) return;
    shown = key;
    fill(rows, get().map(row));
    const free = (context.loras?.loras ?? []).filter((l) => !get().some((one) => one.name === l.name));
    const group = (title, list) => list.length > 0 && h("optgroup", { label: title }, list.map((l) => h("option", { value: l.name }, l.name)));
    fill(
      select,
      h("option", { value: "" }, words.add),
      group(words.fit, free.filter((l) => !l.fits && !l.problem)),
      group(words.unfit, free.filter((l) => l.fits || l.problem)),
      context.loras && context.loras.loras.length === 0 && h("option", { value: "", disabled: true }, words.none),
    );
    select.value = "";
    select.hidden = get().length >= MOST_LORAS;
  };
  store.on("loras", show);
  store.on("change", ({ live }) => !live && show());
  show();
  return h("div", { class: "stack close placed-loras", role: "group", "aria-label": label }, rows, select);
}
