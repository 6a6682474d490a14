// Questions as chips: the built-in ones on or off, one's own added and taken away.

import { api } from "../../api.mjs";
import { fill, h, uid } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { spoken } from "../../parts/tags.mjs";
import { questionForm } from "./question_form.mjs";
import { label, texts } from "../../texts.mjs";

const words = texts.questions;

/** What a chip's question asks, for its tooltip. */
const about = (questions) => questions.map((q) => `${q.ask}${words.kind[q.kind] ? ` (${words.kind[q.kind]})` : ""}`).join("\n");

export function questionField(app) {
  const id = uid("question");
  const chips = h("div", { class: "chips" });
  const hint = h("p", { class: "hint" });
  const input = h("input", { type: "text", id, placeholder: words.placeholder, "aria-label": words.add, "aria-describedby": `${id}-hint` });
  const error = h("span", { class: "error", role: "alert", hidden: true });
  const add = button(texts.common.add, () => take(), "");
  const element = h(
    "div",
    { class: "field", role: "group", "aria-label": label("ask") },
    chips,
    hint,
    h("div", { class: "row add" }, h("div", { class: "grow" }, input), add),
    h("span", { class: "hint", id: `${id}-hint` }, words.example, " ", button(`${words.write} …`, () => write(), "link small")),
    error,
  );
  element.dataset.setting = "ask";
  element.fail = (sentence) => {
    error.textContent = sentence;
    error.hidden = !sentence;
  };

  const toggle = (name) => {
    const asked = app.value("ask");
    const order = groups().map(([n]) => n);
    const next = asked.includes(name) ? asked.filter((n) => n !== name) : [...asked, name];
    app.change({ ask: next.sort((a, b) => order.indexOf(a) - order.indexOf(b)) });
  };
  // questions that are switched on together have one chip
  const groups = () => {
    const found = new Map();
    for (const q of app.questions) {
      const name = q.selected_by;
      found.set(name, [...(found.get(name) ?? []), q]);
    }
    return [...found];
  };
  const take = async () => {
    const text = input.value.trim();
    if (!text) return;
    element.fail("");
    try {
      await api.post("questions/check", { text });
      if (!app.value("question").includes(text)) app.change({ question: [...app.value("question"), text] });
      input.value = "";
    } catch (problem) {
      element.fail(problem.message);
    }
    input.focus();
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && take());
  input.addEventListener("input", () => element.fail(""));

  const files = () => app.value("question_file");
  /** Write a question in the form, or change one; a new one is asked from now on. */
  const write = async (old = null) => {
    const done = await questionForm(app, old);
    if (!done) return;
    const left = files().filter((f) => f !== done.removed);
    const asked = !old || files().includes(old.file);
    app.change({ question_file: done.saved && asked ? [...new Set([...left, done.saved.file])] : left });
    await app.refreshQuestions().catch((problem) => element.fail(problem.message));
  };
  const toggleOwn = ({ file }) => app.change({ question_file: files().includes(file) ? files().filter((f) => f !== file) : [...files(), file] });

  const draw = () => {
    const asked = app.value("ask");
    const off = app.value("vlm") === "none";
    hint.textContent = off ? words.noVlm : words.hint;
    const builtin = groups().map(([name, questions]) =>
      h(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(asked.includes(name)),
          disabled: off,
          title: about(questions),
          on: { click: () => toggle(name) },
          data: { question: name },
        },
        spoken(name),
      ),
    );
    const own = app.value("question").map((text) =>
      h(
        "span",
        { class: "chip-pair" },
        h("span", { class: "chip own", title: text }, h("span", { class: "cut" }, text)),
        h(
          "button",
          {
            type: "button",
            class: "chip",
            "aria-label": texts.settings.removeItem(text),
            on: { click: () => app.change({ question: app.value("question").filter((t) => t !== text) }) },
          },
          "×",
        ),
      ),
    );
    const written = app.ownQuestions.map((q) =>
      h(
        "span",
        { class: "chip-pair" },
        h(
          "button",
          {
            type: "button",
            class: "chip own",
            "aria-pressed": String(files().includes(q.file)),
            disabled: off || (Boolean(q.problem) && !files().includes(q.file)),
            title: q.problem ? words.damaged(q.problem) : about([q]),
            on: { click: () => toggleOwn(q) },
            data: { question: q.name, own: "" },
          },
          spoken(q.name),
        ),
        h("button", { type: "button", class: "chip", "aria-label": words.edit(q.name), title: words.edit(q.name), on: { click: () => write(q) } }, "✎"),
      ),
    );
    const at = chips.getRootNode().activeElement?.dataset?.question;
    fill(chips, builtin, written, own);
    if (at) chips.querySelector(`[data-question="${at}"]`)?.focus();
  };
  element.set = draw;
  draw();
  return element;
}
