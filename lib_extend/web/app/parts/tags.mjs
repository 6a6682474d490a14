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

/** Where a tag came from, and which of several taggers are sure of it. */
const whence = (tag) => [sources[tag.source], tag.taggers?.length && texts.saidBy(tag.taggers)].filter(Boolean).join(" · ");

/** Tags as a list of bars. */
export function tagList(tags) {
  return h(
    "ul",
    { class: "meters" },
    tags.map((t) => meter(spoken(t.name), t.score ?? null, { title: whence(t) })),
  );
}

/** Whether an answer is below the probability that makes it a tag; `threshold`: the setting of that name. */
export const unsure = (answer, threshold) =>
  !answer.locked && (answer.answer === "" || (answer.probability !== null && answer.probability < threshold));

/** Whether there is something to see in an answer: it became a tag, or might have. "no" and "none" have nothing. */
const tells = (answer, threshold) => Boolean(answer.tag) || unsure(answer, threshold);

const about = (answer) => texts.answer.about(spoken(answer.question), spoken(answer.object ?? ""));
const said = (answers) => answers.filter((a) => a.answer || a.raw);

/** Answers as a list of bars, those without a tag behind a fold. */
export function answerList(answers, threshold) {
  const list = (some) =>
    h(
      "ul",
      { class: "meters" },
      some.map((a) =>
        meter(about(a), a.probability ?? null, { title: a.raw, unsure: unsure(a, threshold), note: spoken(a.answer || a.raw) }),
      ),
    );
  const telling = said(answers).filter((a) => tells(a, threshold));
  const rest = said(answers).filter((a) => !tells(a, threshold));
  return h(
    "div",
    { class: "stack close" },
    telling.length > 0 && list(telling),
    rest.length > 0 &&
      h("details", { class: "rest" }, h("summary", { class: "hint" }, texts.answer.others(rest.length)), list(rest)),
  );
}

function answerChip(answer, threshold) {
  const probability = answer.probability === null || answer.probability === undefined ? "" : percent(answer.probability);
  const doubt = unsure(answer, threshold);
  return h(
    "span",
    { class: `answer ${doubt ? "unsure" : ""}`.trim(), title: doubt ? texts.answer.unsure : answer.raw },
    h("span", { class: "muted" }, about(answer)),
    spoken(answer.answer || answer.raw),
    probability && h("span", { class: "muted" }, probability),
    doubt && h("span", { class: "muted", "aria-label": texts.answer.unsure }, "?"),
  );
}

/** Answers in a line: those that tell something, the others behind a button. */
export function answerLine(answers, threshold) {
  const line = h("div", { class: "row tight answers" });
  const rest = said(answers).filter((a) => !tells(a, threshold));
  const more = h("button", { type: "button", class: "answer more", title: texts.answer.others(rest.length) }, `+${rest.length}`);
  more.addEventListener("click", () => {
    more.replaceWith(...rest.map((a) => answerChip(a, threshold)));
  });
  line.append(...said(answers).filter((a) => tells(a, threshold)).map((a) => answerChip(a, threshold)));
  if (rest.length) line.append(more);
  return line;
}
