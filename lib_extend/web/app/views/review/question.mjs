// The question of one item, its answer with its probability, and what may be said of it.

import { fill, h } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { note } from "../../parts/states.mjs";
import { spoken } from "../../parts/tags.mjs";
import { percent, texts } from "../../texts.mjs";
import { asked, byDigit, matching, PROSE } from "./questions.mjs";

const words = texts.review;
const MOST = 24; // choices shown at once

/**
 * The card. `act(id)` runs "accept", "correct", "reject", "lock"; `correct(answer)` gives the right answer.
 * `element.show(item, questions, decided, letter)`, `element.choose()` asks for the right answer, `element.key(event)`
 * says whether a key was meant for the choices (then it has acted, and the event's default is prevented).
 */
export function questionCard({ act, correct }) {
  const element = h("div", { class: "stack question-card" });
  let item = null;
  let choosing = false;
  let typed = "";
  let shownChoices = [];
  let redraw = () => {};
  const labelled = (id, kind = "") => button([words.acts[id][0], h("kbd", { "aria-hidden": "true" }, words.acts[id][1])], () => act(id), kind, { "aria-keyshortcuts": words.acts[id][1], data: { act: id } });

  element.show = (next, questions, decided, letter) => {
    if (next !== item) [choosing, typed] = [false, ""];
    item = next;
    redraw = () => {
      const persons = item.question === "persons";
      const prose = item.question === PROSE;
      const sure = item.probability;
      fill(
        element,
        h("p", { class: "asked" }, asked(item, questions, letter)),
        prose && h("blockquote", { class: "told" }, item.answer),
        !persons &&
          !prose &&
          h(
            "div",
            { class: "given" },
            h("span", { class: "value" }, item.answer ? spoken(item.answer) : words.noAnswer),
            item.tag ? h("span", { class: "badge" }, spoken(item.tag)) : h("span", { class: "badge warn" }, words.noTag),
            sure !== null && h("span", { class: "meter", role: "img", "aria-label": percent(sure) }, h("span", { style: `width:${100 * sure}%` })),
            sure !== null && h("span", { class: "hint" }, percent(sure)),
          ),
        h("p", { class: "hint" }, item.reason && item.code !== "uncertain" ? item.reason[0].toUpperCase() + item.reason.slice(1) : words.unsure, item.raw && item.raw !== item.answer && ` ${words.raw(item.raw)}`),
        choosing
          ? prose
            ? rewriting()
            : choices()
          : persons
            ? h("div", { class: "row" }, labelled("accept", "primary"), labelled("correct"))
            : h("div", { class: "row verdicts" }, labelled("accept", "primary"), labelled("correct"), labelled("reject"), labelled("lock")),
        decided &&
          note(
            "good",
            h("span", {}, words.decided(decided.verdict, spoken(decided.answer ?? ""))),
            button([words.withdraw[0], h("kbd", { "aria-hidden": "true" }, words.withdraw[1])], () => act("withdraw"), "small", { "aria-keyshortcuts": words.withdraw[1] }),
          ),
      );
    };
    redraw();
  };
  const rewriting = () => {
    const area = h("textarea", { rows: 5, "aria-label": words.rightText });
    area.value = item.answer;
    const save = () => area.value.trim() && take(area.value.trim());
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
      else if (event.key === "Escape") leave();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    queueMicrotask(() => area.focus());
    return h(
      "div",
      { class: "stack close" },
      h("p", { class: "strong" }, words.rightText),
      area,
      h("div", { class: "row" }, button(words.saveText, save, "primary small"), button(texts.common.cancel, leave, "plain small")),
    );
  };
  const choices = () => {
    const free = item.allowed.length === 0;
    if (free) {
      const input = h("input", { type: "text", "aria-label": words.right, placeholder: words.right });
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && input.value.trim()) take(input.value.trim());
        else if (event.key === "Escape") leave();
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
      queueMicrotask(() => input.focus());
      return h("div", { class: "stack close" }, h("p", { class: "strong" }, words.right), input);
    }
    shownChoices = matching(item.allowed, typed);
    const numbers = item.allowed.every((a) => /^\d+$/.test(a));
    return h(
      "div",
      { class: "stack close", role: "group", "aria-label": words.right },
      h("p", { class: "row tight" }, h("span", { class: "strong" }, words.right), typed && h("code", {}, typed), h("span", { class: "hint" }, numbers ? words.digitHint : words.typeHint)),
      h(
        "div",
        { class: "chips choices" },
        shownChoices.slice(0, MOST).map((answer, n) =>
          h(
            "button",
            { type: "button", class: "chip", "aria-pressed": String(answer === item.answer), on: { click: () => take(answer) } },
            !numbers && n < 9 && h("kbd", { "aria-hidden": "true" }, String(n + 1)),
            spoken(answer),
          ),
        ),
        button(texts.common.cancel, leave, "plain small"),
      ),
    );
  };
  const take = (answer) => {
    choosing = false;
    typed = "";
    correct(answer);
  };
  const leave = () => {
    [choosing, typed] = [false, ""];
    redraw();
    element.focusFirst();
  };
  element.choose = () => {
    choosing = true;
    redraw();
    element.querySelector(".choices .chip")?.focus();
  };
  element.focusFirst = () => element.querySelector("button")?.focus();
  element.key = (event) => {
    if (!choosing || !item?.allowed.length) return false;
    if (/^[0-9]$/.test(event.key)) {
      const answer = byDigit(shownChoices, event.key);
      if (answer !== null) take(answer);
    } else if (event.key === "Escape") leave();
    else if (event.key === "Backspace") {
      typed = typed.slice(0, -1);
      redraw();
    } else if (event.key === "Enter") {
      // on a choice that has the focus the browser's own click follows
      if (event.composedPath()[0].closest?.(".choices")) return false;
      if (typed && shownChoices.length) take(shownChoices[0]);
    } else if (/^[\p{L}]$/u.test(event.key)) {
      if (!matching(item.allowed, typed + event.key).length) return swallow(event);
      typed += event.key;
      redraw();
      const left = matching(item.allowed, typed);
      if (left.length === 1) take(left[0]);
    } else return false;
    return swallow(event);
  };
  const swallow = (event) => {
    event.preventDefault();
    return true;
  };
  return element;
}
