// What is shown where there is nothing, not yet, or no more; and progress.

import { fill, h } from "../dom.mjs";
import { texts } from "../texts.mjs";
import { button } from "./button.mjs";

/** Nothing here, and what to do about it. */
export function empty(title, hint = "", action = null) {
  return h("div", { class: "empty" }, h("h2", { class: "minor" }, title), hint && h("p", {}, hint), action);
}

/** Room for what is being fetched, of about its height. */
export function loading(height = 120) {
  return h(
    "div",
    { class: "skeleton", style: `height:${height}px`, role: "status" },
    h("span", { class: "visually-hidden" }, texts.common.loading),
  );
}

/** What went wrong, as a sentence, with a button to try again. */
export function trouble(message, again = null) {
  return h(
    "div",
    { class: "note bad", role: "alert" },
    h("span", {}, message),
    again && button(texts.errors.retry, again, "small"),
  );
}

/** A line with a meaning: "", "good", "warn" or "bad". */
export function note(kind, ...children) {
  return h("div", { class: `note ${kind}`.trim() }, ...children);
}

/** A bar. `set({ done, failed, total, paused })`; without a total it only shows that something moves. */
export function progress(words) {
  const good = h("span");
  const bad = h("span", { class: "failed" });
  const bar = h("div", { class: "progress", role: "progressbar", "aria-label": words, "aria-valuemin": "0" }, good, bad);
  bar.set = ({ done = 0, failed = 0, total = 0, paused = false }) => {
    bar.toggleAttribute("data-paused", paused);
    bar.toggleAttribute("data-unknown", !total && !paused);
    if (!total) {
      good.style.width = "";
      bad.style.width = "0";
      bar.removeAttribute("aria-valuenow");
      return;
    }
    good.style.width = `${(100 * done) / total}%`;
    bad.style.width = `${(100 * failed) / total}%`;
    bar.setAttribute("aria-valuemax", total);
    bar.setAttribute("aria-valuenow", done + failed);
  };
  bar.set({});
  return bar;
}

/** Show `work`'s element in `place`: a skeleton meanwhile, a sentence and "Try again" when it fails. */
export async function shown(place, work, height = 120) {
  fill(place, loading(height));
  try {
    fill(place, await work());
  } catch (error) {
    if (error.name === "AbortError") return;
    fill(place, trouble(error.message, () => shown(place, work, height)));
  }
}
