// Looking at the finished picture for each character's tags: the switches, and what the shown picture's infotext says.

import { fill, h } from "../dom.mjs";
import { percent } from "../texts.mjs";
import { amount, check, labelled } from "./fields.mjs";
import { infotext, infotextPlace } from "./host.mjs";
import { readResult } from "./result.mjs";
import { texts } from "./texts.mjs";

const words = texts.check;

export function checkSection({ tab, store }) {
  const badge = h("span", { class: "badge", hidden: true });
  const told = h("p", { class: "hint" }, words.none);
  const tries = amount(store, {
    get: () => store.state.keep_trying,
    set: (value) => store.change({ keep_trying: Math.round(value) }),
    low: 0,
    high: 20,
    step: 1,
  });
  const show = () => {
    const { result } = store;
    badge.hidden = !result && !store.state.check && store.state.keep_trying === 0;
    badge.className = `badge ${result ? (result.score >= 1 ? "good" : "warn") : ""}`;
    badge.textContent = result ? words.score(percent(result.score)) : words.on;
    fill(told, result ? words.result(result) : words.none);
  };
  let seen = "";
  const read = () => {
    const text = infotext(tab);
    if (text === seen) return;
    seen = text;
    store.result = readResult(text);
    store.tell("result");
  };
  // the infotext changes with every picture that is chosen; the place itself may be made anew
  let place = null;
  const observer = new MutationObserver(read);
  store.on("look", () => {
    const now = infotextPlace(tab);
    if (now?.querySelector("textarea")) read();
    if (now === place) return;
    observer.disconnect();
    place = now;
    if (place) observer.observe(place, { childList: true, subtree: true, characterData: true });
    read();
  });
  store.on("result", show);
  store.on("change", ({ live }) => !live && show());
  show();
  return h(
    "details",
    { class: "fold check-fold" },
    h("summary", {}, h("span", {}, words.title), badge),
    h(
      "div",
      { class: "inside" },
      check(store, { get: () => store.state.check || store.state.keep_trying > 0, set: (on) => store.change(on ? { check: true } : { check: false, keep_trying: 0 }), label: words.check, hint: words.checkHint }),
      h("div", { class: "short-field" }, labelled(words.keep, tries, { hint: words.keepHint })),
      told,
    ),
  );
}
