// A widget for one setting, made from its description: {name, type, optional, default, help, low, high, choices}, where
// type is "text", "integer", "number", "flag" or "list".

import { fill, h, uid } from "../dom.mjs";
import { choices as words, helpOf, label, texts } from "../texts.mjs";
import { button } from "./button.mjs";
import { tokens } from "./tokens.mjs";

/** Whether two values of a setting are the same. */
export const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Names of a setting's choices as a person reads them, with a sentence on each where there is one. */
export function named(setting, choice) {
  return words[setting.name]?.[choice] ?? [(choice[0].toUpperCase() + choice.slice(1)).replaceAll("_", " "), ""];
}

/**
 * The widget, with its label, help and a way back to the default. `onChange(value)` gets every accepted change.
 * `element.set(value)` shows a value, `element.fail(sentence)` shows what is wrong with it ("" takes that away).
 * `hint`: what to say instead of the setting's help; "" says nothing. `folder()`: the open folder's id, whose tags are
 * completed first.
 */
export function field(setting, value, onChange, { hint = helpOf(setting), folder } = {}) {
  const id = uid(setting.name);
  const hintId = `${id}-hint`;
  const error = h("span", { class: "error", role: "alert", hidden: true });
  const undo = button(texts.common.reset, () => change(setting.default, true), "plain small undo");
  let current = value;

  const change = (next, show = false) => {
    current = next;
    fail("");
    undo.hidden = same(next, setting.default);
    if (show) control.show(next);
    onChange(next);
  };
  const fail = (sentence) => {
    error.textContent = sentence;
    error.hidden = !sentence;
    control.mark(Boolean(sentence));
  };
  const described = hint ? hintId : null;
  const control = make(setting, { id, described, change, folder, fail: (sentence) => fail(sentence) });
  control.show(current);
  undo.hidden = same(current, setting.default);

  const hintLine = hint && h("span", { class: "hint", id: hintId }, hint);
  const element =
    setting.type === "flag"
      ? h(
          "div",
          { class: "field" },
          h("div", { class: "head" }, h("label", { class: "check" }, control.element, h("span", {}, label(setting.name))), undo),
          hintLine,
          error,
        )
      : h(
          "div",
          { class: "field", ...(control.group ? { role: "group", "aria-labelledby": `${id}-label` } : {}) },
          h(
            "div",
            { class: "head" },
            h(control.group ? "span" : "label", { class: "label", id: `${id}-label`, ...(control.group ? {} : { for: id }) }, label(setting.name)),
            undo,
          ),
          control.element,
          control.below,
          hintLine,
          error,
        );
  element.dataset.setting = setting.name;
  element.set = (next) => {
    current = next;
    fail("");
    undo.hidden = same(next, setting.default);
    control.show(next);
  };
  element.fail = fail;
  return element;
}

function make(setting, tools) {
  if (setting.choices?.length) return setting.choices.length <= 5 ? segments(setting, tools) : list(setting, tools);
  if (setting.type === "flag") return check(tools);
  if (setting.type === "list") return several(setting, tools);
  if (setting.type === "number" && setting.high !== null && setting.high <= 1) return slider(setting, tools);
  if (setting.type === "number" || setting.type === "integer") return amount(setting, tools);
  return text(setting, tools);
}

const marker = (input) => (wrong) => (wrong ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid"));

function check({ id, described, change }) {
  const input = h("input", { type: "checkbox", id, "aria-describedby": described, on: { change: () => change(input.checked) } });
  return { element: input, show: (value) => (input.checked = Boolean(value)), mark: marker(input) };
}

function text(setting, { id, described, change }) {
  const input = h("input", {
    type: "text",
    id,
    placeholder: setting.metavar ?? "",
    "aria-describedby": described,
    spellcheck: false,
    on: { input: () => change(input.value) },
  });
  return { element: input, show: (value) => (input.value = value ?? ""), mark: marker(input) };
}

function number(setting, { id, described, change, fail }, after) {
  const whole = setting.type === "integer";
  const input = h("input", {
    type: "number",
    id,
    step: whole ? 1 : 0.01,
    placeholder: setting.optional ? (setting.help.includes("model") || setting.help.includes("detector") ? texts.common.own : "–") : "",
    "aria-describedby": described,
    inputMode: whole ? "numeric" : "decimal",
  });
  if (setting.low !== null) input.min = setting.low;
  if (setting.high !== null) input.max = setting.high;
  input.addEventListener("input", () => {
    if (input.value === "" && setting.optional && !input.validity.badInput) return void (change(null), after?.(null));
    const value = input.valueAsNumber;
    const inside = (setting.low === null || value >= setting.low) && (setting.high === null || value <= setting.high);
    // what is half typed is not a value yet
    if (Number.isNaN(value) || !inside || (whole && !Number.isInteger(value))) {
      return void fail(texts.settings.range(setting.low, setting.high, whole));
    }
    change(value);
    after?.(value);
  });
  return input;
}

function amount(setting, tools) {
  const input = number(setting, tools);
  return { element: input, show: (value) => (input.value = value ?? ""), mark: marker(input) };
}

function slider(setting, tools) {
  const low = setting.low ?? 0;
  const range = h("input", { type: "range", min: low, max: setting.high, step: 0.01, "aria-hidden": "true", tabIndex: -1 });
  const row = h("div", { class: "slider" });
  const move = (value) => {
    row.toggleAttribute("data-own", value === null);
    range.value = value ?? (low + setting.high) / 2;
    range.style.setProperty("--at", `${(100 * (range.valueAsNumber - low)) / (setting.high - low)}%`);
  };
  const input = number(setting, tools, move);
  range.addEventListener("input", () => {
    input.value = range.value;
    move(range.valueAsNumber);
    tools.change(range.valueAsNumber);
  });
  fill(row, range, input);
  const show = (value) => {
    input.value = value ?? "";
    move(value ?? null);
  };
  return { element: row, show, mark: marker(input) };
}

function list(setting, { id, described, change }) {
  const select = h(
    "select",
    { id, "aria-describedby": described, on: { change: () => change(select.value) } },
    setting.choices.map((c) => h("option", { value: c }, named(setting, c)[0])),
  );
  return { element: select, show: (value) => (select.value = value), mark: marker(select) };
}

function segments(setting, { id, change }) {
  const inputs = setting.choices.map((c) =>
    h("input", { type: "radio", name: id, value: c, on: { change: () => (say(c), change(c)) } }),
  );
  const below = h("span", { class: "hint" });
  const say = (value) => {
    below.textContent = named(setting, value)[1];
    below.hidden = !below.textContent;
  };
  const element = h(
    "div",
    { class: "segments", role: "radiogroup", "aria-labelledby": `${id}-label` },
    inputs.map((input) => h("label", {}, input, named(setting, input.value)[0])),
  );
  const show = (value) => {
    for (const input of inputs) input.checked = input.value === value;
    say(value);
  };
  return { element, below, show, mark: () => {}, group: true };
}

function several(setting, { id, described, change, folder }) {
  const box = tokens(id, setting, described, change, folder);
  return { element: box, show: (value) => box.set(value ?? []), mark: marker(box.input) };
}
