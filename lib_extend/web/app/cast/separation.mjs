// How characters are kept apart: the LoRA, where each prompt acts, how strongly and how long.

import { fill, h, uid } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { note } from "../parts/states.mjs";
import { percent } from "../texts.mjs";
import { slider } from "./fields.mjs";
import { loraField } from "./lora_field.mjs";
import { texts } from "./texts.mjs";

const words = texts.separation;

const unfit = ({ facts, store }) => Boolean(facts) && !facts.regions && store.state.mode === "regions" && store.state.characters.length > 0;

/** Says, below the boxes, why they cannot act with the checkpoint that is loaded. */
export function unfitNote(context) {
  const { store } = context;
  const element = h("div", { class: "told" });
  let shown = "";
  const show = () => {
    const sentence = unfit(context) ? words.cannot(context.facts.reason) : "";
    if (sentence === shown) return;
    shown = sentence;
    fill(element, sentence && note("warn", h("span", {}, sentence), button(words.promptOnly, () => store.change({ mode: "prompt" }), "small")));
  };
  store.on("change", ({ live }) => !live && show());
  store.on("facts", show);
  return element;
}

export function separationSection(context) {
  const { store } = context;
  const badge = h("span", { class: "badge cut" });
  const name = uid("mode");
  const modes = ["regions", "prompt"].map((mode) => h("input", { type: "radio", name, value: mode, on: { change: () => store.change({ mode }) } }));
  const explained = h("span", { class: "hint" });
  const share = (field) => ({ get: () => store.state[field], set: (value) => store.change({ [field]: value }), low: 0, high: 1, step: 0.05 });
  const sliders = h(
    "div",
    { class: "pair" },
    slider(store, { ...share("base_weight"), label: words.base }),
    slider(store, { ...share("end_step"), label: words.end }),
  );
  const hints = h("p", { class: "hint" }, words.hint);
  const show = () => {
    const { mode, separation_lora: lora, base_weight: base, end_step: end } = store.state;
    for (const input of modes) input.checked = input.value === mode;
    explained.textContent = words.modes[mode][1];
    sliders.hidden = hints.hidden = mode === "prompt";
    badge.textContent = [lora && `${lora.name} ${lora.weight}`, mode === "prompt" ? words.modes.prompt[0] : words.short(percent(base), end < 1 ? percent(end) : "")].filter(Boolean).join(" · ");
    const cannot = unfit(context);
    badge.classList.toggle("warn", cannot);
    if (cannot) badge.textContent = words.cannotShort;
  };
  store.on("change", ({ live }) => !live && show());
  store.on("facts", show);
  show();
  return h(
    "details",
    { class: "fold separation-fold" },
    h("summary", {}, h("span", {}, words.title), badge),
    h(
      "div",
      { class: "inside" },
      loraField(context, "separation"),
      h(
        "div",
        { class: "field", role: "group", "aria-labelledby": `${name}-label` },
        h("span", { class: "label", id: `${name}-label` }, words.mode),
        h("div", { class: "segments", role: "radiogroup", "aria-labelledby": `${name}-label` }, modes.map((input) => h("label", {}, input, words.modes[input.value][0]))),
        explained,
      ),
      sliders,
      hints,
    ),
  );
}
