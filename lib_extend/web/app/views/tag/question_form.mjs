// A question of one's own, written or changed in a small form; saved as a file of the server's data folder.

import { api } from "../../api.mjs";
import { h, uid } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { confirm, dialog } from "../../parts/dialog.mjs";
import { tokens } from "../../parts/tokens.mjs";
import { texts } from "../../texts.mjs";

const words = texts.questions;
const KINDS = ["one_of", "yes_no", "some_of", "count", "color", "free"];
const LISTS = ["answers", "each", "when", "unless"];

/** Which fields a kind has besides those that all have. */
const hidden = (kind) => ({ answers: !["one_of", "some_of"].includes(kind) });

/** A name from what is asked, when the person gives none: "What season is it?" → "season". */
export function nameFor(ask) {
  const small = new Set("what which how is are it the a an in of on there this image picture many color colour does do".split(" "));
  const found = ask
    .toLowerCase()
    .replace(/\{\w*\}/g, " ")
    .split(/[^a-z0-9]+/)
    .filter((w) => w && !small.has(w));
  return found.slice(0, 2).join("_").slice(0, 40);
}

/**
 * Ask for a question. `old`: the one to change, as the server told it, or null. A promise of {saved, removed}: the question
 * that was saved, the file of the one that is gone; null when the person changed their mind.
 */
export async function questionForm(app, old = null) {
  const values = { name: "", kind: "one_of", ask: "", tag: "", answers: [], each: [], when: [], unless: [], ...old };
  let result = null;
  const errors = new Map();
  const rows = new Map();

  const row = (name, make) => {
    const id = uid(`question-${name}`);
    const error = h("span", { class: "error", role: "alert", hidden: true });
    const hint = h("span", { class: "hint", id: `${id}-hint` }, words.fields[name][1]);
    const widget = make(id, `${id}-hint`);
    const element = h("div", { class: "field", data: { field: name } }, h("label", { for: id, class: "label" }, words.fields[name][0]), widget, hint, error);
    errors.set(name, { error, widget });
    rows.set(name, element);
    return element;
  };
  const text = (name, { long = false } = {}) =>
    row(name, (id, described) => {
      const input = h(long ? "textarea" : "input", { id, value: values[name], "aria-describedby": described, spellcheck: name === "ask", autocomplete: "off", placeholder: words.fields[name][2] ?? "" });
      if (long) input.rows = 2;
      else input.type = "text";
      input.addEventListener("input", () => {
        values[name] = input.value.trim();
        fail(name, "");
        if (name === "ask") errors.get("name").widget.placeholder = nameFor(values.ask);
      });
      return input;
    });
  const list = (name) =>
    row(name, (id, described) => {
      const widget = tokens(id, { name }, described, (items) => {
        values[name] = items;
        fail(name, "");
      });
      widget.set(values[name].map((v) => v.replaceAll("_", " ")));
      return widget;
    });
  const kind = () =>
    row("kind", (id, described) => {
      const select = h(
        "select",
        { id, "aria-describedby": described },
        KINDS.map((k) => h("option", { value: k, selected: k === values.kind }, words.kind[k])),
      );
      select.addEventListener("change", () => {
        values.kind = select.value;
        show();
      });
      return select;
    });
  const fail = (name, sentence) => {
    const place = errors.get(name);
    if (!place) return false;
    place.error.textContent = sentence;
    place.error.hidden = !sentence;
    return true;
  };
  const other = h("p", { class: "error", role: "alert", hidden: true });
  const show = () => {
    for (const [name, isHidden] of Object.entries(hidden(values.kind))) rows.get(name).hidden = isHidden;
  };

  const save = async () => {
    // what was typed into a list and not yet taken counts, too
    for (const name of LISTS) errors.get(name).widget.input.dispatchEvent(new FocusEvent("blur"));
    for (const name of errors.keys()) fail(name, "");
    other.hidden = true;
    const name = values.name || nameFor(values.ask) || "own";
    const body = { kind: values.kind, ask: values.ask, tag: values.tag };
    for (const field of LISTS) if (values[field].length && !hidden(values.kind)[field]) body[field] = values[field];
    // a new one must not replace another by accident
    if (name !== old?.name && app.ownQuestions.some((q) => q.name === name)) return void fail("name", words.taken(name));
    try {
      const saved = await api.put(`questions/own/${encodeURIComponent(name)}`, body);
      if (old && old.name !== name) await api.remove(`questions/own/${encodeURIComponent(old.name)}`);
      result = { saved, removed: old && old.name !== name ? old.file : "" };
      box.close("saved");
    } catch (error) {
      if (fail(error.field, error.message)) errors.get(error.field).error.scrollIntoView({ block: "nearest" });
      else {
        other.textContent = error.message;
        other.hidden = false;
      }
    }
  };
  const remove = async () => {
    if (!(await confirm(app.place, words.removeAsk(old.name), words.removeExplain, words.remove, "danger"))) return;
    try {
      await api.remove(`questions/own/${encodeURIComponent(old.name)}`);
      result = { saved: null, removed: old.file };
      box.close("removed");
    } catch (error) {
      other.textContent = error.message;
      other.hidden = false;
    }
  };

  const fields = h("div", { class: "stack" }, text("ask", { long: true }), kind(), list("answers"), text("tag"), list("when"), list("unless"), list("each"), text("name"), other);
  const box = dialog(app.place, old ? words.change : words.write, fields, [
    old && button(words.remove, remove, "danger"),
    button(texts.common.cancel, () => box.close("")),
    button(texts.common.save, save, "primary"),
  ].filter(Boolean));
  box.classList.add("question-form");
  errors.get("name").widget.placeholder = nameFor(values.ask);
  show();
  fields.querySelector("textarea").focus();
  await box.closed;
  return result;
}
