// One edit on all pictures of a filter, or on those picked: what it would do is shown before it is done.

import { api } from "../../api.mjs";
import { completed } from "../../chips/complete.mjs";
import { fill, h, later, uid } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { dialog } from "../../parts/dialog.mjs";
import { diff } from "../../parts/diff.mjs";
import { trouble } from "../../parts/states.mjs";
import { texts } from "../../texts.mjs";
import { thumbnail } from "../tag/pictures.mjs";
import { writingLine } from "./writing.mjs";

const words = texts.bulk;
const TYPED = 350;

/** Ask for an edit of `meant` ({filter} or {ids}), `total` pictures, and do it. A promise of what was done ({changed, run, failures, …}), null when nothing was. */
export async function bulkEdit(app, meant, total) {
  const folder = app.folder.id;
  let action = "add";
  let request = null;
  let done = null;
  const fields = h("div", { class: "stack" });
  const what = h("p", { class: "strong", role: "status" });
  const samples = h("ul", { class: "pictures samples" });
  const values = { tags: "", to: "", front: false, regex: false };

  const field = (name, title, hint = "") => {
    const id = uid("bulk");
    const input = h("input", { type: "text", id, value: values[name], spellcheck: false, autocomplete: "off" });
    input.addEventListener("input", () => {
      values[name] = input.value;
      soon();
    });
    input.addEventListener("keydown", (event) => event.key === "Enter" && !apply.disabled && apply.click());
    // a text to find, or an expression, is no tag
    const when = () => action !== "replace" && !values.regex;
    return h("div", { class: "field" }, h("label", { for: id }, title), completed(input, { folder: () => folder, several: action === "add" || action === "remove", when }), hint && h("p", { class: "hint" }, hint));
  };
  const check = (name, title) => {
    const input = h("input", { type: "checkbox", checked: values[name] });
    input.addEventListener("change", () => {
      values[name] = input.checked;
      soon();
    });
    return h("label", { class: "check" }, input, h("span", {}, title));
  };
  const draw = () => {
    fill(
      fields,
      {
        add: () => [field("tags", words.tags, words.tagsHint), check("front", words.front)],
        remove: () => [field("tags", words.tags, values.regex ? "" : words.tagsHint), check("regex", words.regex)],
        rename: () => [h("div", { class: "pair" }, field("tags", words.from), field("to", words.to)), check("regex", words.regex)],
        replace: () => [h("div", { class: "pair" }, field("tags", words.find), field("to", words.with)), check("regex", words.regexText)],
      }[action](),
    );
    soon();
  };
  const edit = () => {
    const whole = action === "replace" || values.regex;
    const tags = whole ? [values.tags] : values.tags.split(",").map((t) => t.trim());
    return {
      ...meant,
      action,
      tags: tags.filter((t) => t.trim()),
      to: action === "add" ? (values.front ? "front" : "") : action === "remove" ? "" : values.to,
      regex: action !== "add" && values.regex,
    };
  };
  const ready = () => edit().tags.length > 0 && (action !== "rename" || values.to.trim());
  const preview = async () => {
    request?.abort();
    apply.disabled = true;
    if (!ready()) {
      what.textContent = words.about(total);
      return void fill(samples);
    }
    const mine = (request = new AbortController());
    try {
      const result = await api.post(`datasets/${folder}/edit`, { ...edit(), preview: true }, mine.signal);
      if (mine !== request) return;
      what.textContent = words.would(result.changed, result.total);
      apply.disabled = result.changed === 0;
      apply.textContent = result.changed ? words.apply(result.changed) : words.do;
      fill(
        samples,
        result.samples.map((s) =>
          h("li", { class: "picture-row" }, thumbnail(folder, s.name), h("div", { class: "stack close" }, h("span", { class: "name wrap" }, s.name), diff(s.before, s.after))),
        ),
      );
    } catch (error) {
      if (mine !== request || error.name === "AbortError") return;
      what.textContent = words.about(total);
      fill(samples, h("li", {}, trouble(error.message)));
    }
  };
  const soon = later(preview, TYPED);
  let writing = null; // a promise, while captions are written
  const write = () => (writing ??= put().finally(() => (writing = null)));
  const put = async () => {
    request?.abort();
    soon.cancel();
    apply.disabled = true;
    fill(samples, h("li", {}, writingLine(folder, (sentence) => app.say(sentence, "bad"), () => writing !== null)));
    try {
      done = { ...(await api.post(`datasets/${folder}/edit`, edit())), action };
      box.close("done");
    } catch (error) {
      if (box.open) fill(samples, h("li", {}, trouble(error.message, preview)));
      else app.say(error.message, "bad");
    }
  };
  const apply = button(words.do, write, "primary", { disabled: true });
  const name = uid("action");
  const actions = h(
    "fieldset",
    { class: "segments", "aria-label": words.action },
    Object.entries(words.actions).map(([id, title]) => {
      const input = h("input", { type: "radio", name, value: id, checked: id === action });
      input.addEventListener("change", () => {
        action = id;
        draw();
      });
      return h("label", {}, input, h("span", {}, title));
    }),
  );
  const box = dialog(
    app.place,
    words.title(total),
    [
      meant.filter && h("p", { class: "hint wrap" }, words.filtered, " ", h("code", {}, meant.filter)),
      meant.ids && h("p", { class: "hint" }, words.picked(total)),
      actions,
      fields,
      what,
      samples,
    ],
    [button(texts.common.cancel, () => box.close("")), apply],
  );
  box.classList.add("bulk");
  draw();
  preview();
  fields.querySelector("input")?.focus();
  await box.closed;
  request?.abort();
  soon.cancel();
  await writing; // what is being written goes on when the dialog is closed
  return done;
}
