// The caption's format: one of the known ones, or a template of fields.

import { h, uid } from "../../dom.mjs";
import { choices, label, texts } from "../../texts.mjs";

const words = texts.settings;
const OWN = "template";
const BEGIN = "{people}, {characters}, {general}";

export function formatField(app) {
  const id = uid("format");
  const styles = new Map((app.formats.styles ?? []).map((style) => [style.name, [style.title, style.example]]));
  const about = (name) => choices.format[name] ?? styles.get(name) ?? [name, ""];
  const select = h(
    "select",
    { id, "aria-describedby": `${id}-hint` },
    [...app.formats.names, OWN].map((name) => h("option", { value: name }, about(name)[0])),
  );
  const template = h("input", { type: "text", "aria-label": words.template, spellcheck: false });
  const insert = h(
    "div",
    { class: "chips fields", role: "group", "aria-label": words.field },
    app.formats.fields.map((name) =>
      h("button", { type: "button", class: "chip", on: { click: () => put(`{${name}}`) } }, `{${name}}`),
    ),
  );
  const own = h("div", { class: "stack close", hidden: true }, template, insert);
  const hint = h("span", { class: "hint", id: `${id}-hint` });
  const error = h("span", { class: "error", role: "alert", hidden: true });
  const element = h(
    "div",
    { class: "field" },
    h("div", { class: "head" }, h("label", { for: id, class: "label" }, label("format"))),
    select,
    hint,
    own,
    error,
  );
  element.dataset.setting = "format";

  const put = (text) => {
    const { selectionStart: from, selectionEnd: to, value } = template;
    const before = value.slice(0, from);
    const comma = before.trim() && !/[,\s]$/.test(before) ? ", " : "";
    template.value = before + comma + text + value.slice(to);
    template.focus();
    const at = from + comma.length + text.length;
    template.setSelectionRange(at, at);
    send();
  };
  const send = () => template.value.trim() && app.change({ format: template.value });
  template.addEventListener("input", send);
  select.addEventListener("change", () => {
    if (select.value !== OWN) return app.change({ format: select.value });
    template.value = BEGIN;
    app.change({ format: BEGIN });
    template.focus();
  });
  element.set = () => {
    const value = app.value("format");
    const known = app.formats.names.includes(value);
    select.value = known ? value : OWN;
    own.hidden = known;
    hint.textContent = about(select.value)[1];
    if (!known && element.getRootNode().activeElement !== template) template.value = value;
  };
  element.fail = (sentence) => {
    error.textContent = sentence;
    error.hidden = !sentence;
  };
  element.set();
  return element;
}
