// Tags with their scores, answers with their probabilities.

import { h } from "../dom.mjs";
import { percent, sources, texts } from "../texts.mjs";

/** A canonical tag name as a person reads it. */
export const spoken = (name) => name.replaceAll("_", " ");

function meter(name, value, { title = "", unsure = false, note = "" } = {}) {
  return h(
    "li",
    { class: unsure ? "unsure" : "", title },
    h("span", { class: "wrap" }, name, note && h("span", { class: "muted small" }, ` ${note}`)),
    h("span", { class: "meter", "aria-hidden": "true" }, value !== null && h("span", { style: `width:${100 * value}%` })),
    h("span", { class: "value" }, value === null ? "–" : percent(value)),
  );
}

/** Tags as a list of bars. */
export function tagList(tags) {
  return h(
    "ul",
    { class: "meters" },
    tags.map((t) => meter(spoken(t.name), t.score ?? null, { title: sources[t.source] ?? "" })),
  );
}

/** An answer became a tag, or was too unsure to. */
export const unsure = (answer) => !answer.tag && answer.probability !== null;

const about = (answer) => texts.answer.about(spoken(answer.question), spoken(answer.object ?? ""));

/** Answers as a list of bars. */
export function answerList(answers) {
  return h(
    "ul",
    { class: "meters" },
    answers.map((a) =>
      meter(about(a), a.probability ?? null, { title: a.raw, unsure: unsure(a), note: spoken(a.answer || a.raw) }),
    ),
  );
}

/** One answer in a line of answers. */
export function answerChip(answer) {
  const probability = answer.probability === null || answer.probability === undefined ? "" : percent(answer.probability);
  return h(
    "span",
    { class: `answer ${unsure(answer) ? "unsure" : ""}`.trim(), title: unsure(answer) ? texts.answer.unsure : answer.raw },
    h("span", { class: "muted" }, about(answer)),
    spoken(answer.answer || answer.raw),
    probability && h("span", { class: "muted" }, probability),
  );
}
