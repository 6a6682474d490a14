// What an expander added to one text, as chips beside the user's words: lock, drop, draw again, keep.

import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { blankAdded } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.expand;

/**
 * `place`: `prompt`, `scene` or a character's number. `label`: whose text it is, for screen readers. `keep(texts)`: puts
 * them into the user's own words. `context.drawing` is of `drawing.mjs`.
 */
export function additions(context, { place, label, keep }) {
  const { store, drawing } = context;
  const chips = h("ul", { class: "added-chips", "aria-label": words.added(label) });
  const draw = button("", () => drawing.draw([place]), "plain small", { "data-expand": place });
  const keepButton = button("", () => keepChosen(), "plain small", { title: words.keepHint });
  const drop = button(words.dropAll, () => put(blankAdded()), "plain small");
  const stop = button(words.stop, () => drawing.stop(), "plain small");
  const line = h("span", { class: "hint", role: "status" });
  const tools = h("div", { class: "row tight added-tools" }, draw, keepButton, drop, stop, line);
  const now = () => store.added(place);
  const put = (added) => {
    store.keep();
    drawing.dropped(place, now().tags.filter((tag) => !added.tags.includes(tag)));
    store.setAdded(place, added);
  };

  const chip = (tag, { locked, toggle, remove }) =>
    h(
      "li",
      { class: "added-chip", data: { locked } },
      h("button", { type: "button", class: "added-name", "aria-pressed": String(locked), title: locked ? words.unlock : words.lock, on: { click: toggle } }, tag),
      h("button", { type: "button", class: "added-drop", "aria-label": words.drop(tag), title: words.drop(tag), on: { click: remove } }, "×"),
    );
  const prose = (text) =>
    h(
      "li",
      { class: "added-chip prose" },
      h("span", { class: "added-name" }, text),
      h("button", { type: "button", class: "added-drop", "aria-label": words.dropProse, title: words.dropProse, on: { click: () => put({ ...now(), prose: "" }) } }, "×"),
    );
  const one = (tag) => {
    const { locked } = now();
    const is = locked.includes(tag);
    return chip(tag, {
      locked: is,
      toggle: () => {
        store.setAdded(place, { ...now(), locked: is ? now().locked.filter((t) => t !== tag) : [...now().locked, tag] });
        [...chips.querySelectorAll("button.added-name")].find((b) => b.textContent === tag)?.focus();
      },
      remove: () => put({ ...now(), tags: now().tags.filter((t) => t !== tag), locked: now().locked.filter((t) => t !== tag) }),
    });
  };
  /** The locked ones, or all where none is. */
  const keepChosen = () => {
    const added = now();
    const chosen = added.locked.length ? added.locked : added.tags;
    store.keep();
    keep([...chosen, ...(added.prose && !added.locked.length ? [added.prose] : [])]);
    const left = added.locked.length ? { tags: added.tags.filter((t) => !chosen.includes(t)), prose: added.prose, locked: [] } : blankAdded();
    store.setAdded(place, left);
  };

  let shown = "";
  const show = () => {
    const added = now();
    const busy = drawing.at.includes(place);
    const later = drawing.atGeneration(place);
    const key = JSON.stringify([added, busy, later, drawing.busy, busy && drawing.line]);
    if (key === shown) return;
    shown = key;
    fill(chips, added.tags.map(one), added.prose && prose(added.prose));
    const some = added.tags.length > 0 || Boolean(added.prose);
    chips.hidden = !some;
    element.toggleAttribute("data-some", some || busy);
    chips.toggleAttribute("data-later", later);
    draw.textContent = some ? words.again : words.expand;
    draw.setAttribute("aria-label", `${draw.textContent}: ${label}`);
    draw.title = some ? words.againHint : words.expandHint;
    draw.disabled = drawing.busy;
    draw.hidden = busy;
    keepButton.hidden = drop.hidden = !some || busy;
    keepButton.textContent = added.locked.length ? words.keepLocked : words.keepAll;
    stop.hidden = !busy;
    line.textContent = busy ? drawing.line : later ? words.laterHere : "";
  };
  const element = h("div", { class: "stack close additions", data: { place } }, chips, tools);
  store.on("change", ({ live }) => !live && show());
  store.on("drawing", show);
  show();
  return element;
}

/** A text with more behind it; what is there stays to the letter. */
export function joined(text, more) {
  const start = text.trimEnd();
  if (!start || more.length === 0) return start || more.join(", ");
  return /(,|(^|\s)(BREAK|AND))$/.test(start) ? `${start} ${more.join(", ")}` : `${start}, ${more.join(", ")}`;
}
