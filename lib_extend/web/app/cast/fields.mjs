// Fields of the panel: each is tied to a part of the state by `get` and `set`, and follows it.

import { h, uid } from "../dom.mjs";
import { LONGEST } from "./state.mjs";

/** A label above a control; `hint` below it. */
export function labelled(words, control, { hint = "", aside = null } = {}) {
  control.id ||= uid("cast");
  const below = hint && h("span", { class: "hint", id: `${control.id}-hint` }, hint);
  if (below) control.setAttribute("aria-describedby", below.id);
  return h("div", { class: "field" }, h("div", { class: "head" }, h("label", { for: control.id, class: "grow" }, words), aside), control, below);
}

/** Tags or a sentence, over several lines. */
export function area(store, { get, set, rows = 2, label = null, placeholder = "" }) {
  const input = h("textarea", { rows, placeholder, maxLength: LONGEST.text, spellcheck: false, "aria-label": label, class: "grows" });
  input.addEventListener("input", () => set(input.value));
  return following(store, input, () => {
    if (input.value !== get()) input.value = get();
  });
}

export function line(store, { get, set, label = null, placeholder = "", list = null }) {
  const input = h("input", { type: "text", placeholder, maxLength: LONGEST.name, spellcheck: false, autocomplete: "off", "aria-label": label, list });
  input.addEventListener("input", () => set(input.value));
  return following(store, input, () => {
    if (input.value !== get()) input.value = get();
  });
}

/** A number between `low` and `high`; what is half typed is not taken, and put right when the field is left. */
export function amount(store, { get, set, low, high, step, label = null }) {
  const input = h("input", { type: "number", min: low, max: high, step, inputMode: "decimal", "aria-label": label });
  const fits = () => Number.isFinite(input.valueAsNumber) && input.valueAsNumber >= low && input.valueAsNumber <= high;
  input.addEventListener("input", () => fits() && set(input.valueAsNumber));
  input.addEventListener("change", () => {
    if (fits()) return;
    const typed = input.valueAsNumber;
    if (Number.isFinite(typed)) set(Math.min(high, Math.max(low, typed)));
    input.value = get();
  });
  return following(store, input, () => {
    if (input.valueAsNumber !== get()) input.value = get();
  });
}

/** A slider with its number beside it, which may go further: from `least` to `most`. */
export function slider(store, { get, set, low, high, step, label, least = low, most = high }) {
  const range = h("input", { type: "range", min: low, max: high, step, "aria-hidden": "true", tabIndex: -1 });
  const number = amount(store, { get, set, low: least, high: most, step });
  range.addEventListener("input", () => set(range.valueAsNumber));
  const show = () => {
    range.value = get();
    range.style.setProperty("--at", `${(100 * (range.valueAsNumber - low)) / (high - low)}%`);
  };
  following(store, range, show);
  const row = h("div", { class: "slider" }, range, number);
  const field = labelled(label, number);
  number.replaceWith(row);
  row.append(number);
  return field;
}

export function check(store, { get, set, label, hint = "" }) {
  const input = h("input", { type: "checkbox", on: { change: () => set(input.checked) } });
  following(store, input, () => {
    input.checked = get();
  });
  return h("label", { class: "check" }, input, h("span", {}, label, hint && h("span", { class: "hint below" }, hint)));
}

function following(store, element, show) {
  store.on("change", ({ live }) => !live && show());
  show();
  return element;
}
