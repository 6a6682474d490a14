// Short messages at the edge of the page.

import { h } from "../dom.mjs";
import { texts } from "../texts.mjs";
import { button } from "./button.mjs";

const STAYS = 6000;

/** The place where they appear, and `say(message, kind)`: "good", "bad" (stays until closed) or "". */
export function toasts() {
  const place = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
  const say = (message, kind = "") => {
    for (const old of [...place.children].slice(0, -2)) old.remove();
    const close = button("×", () => toast.remove(), "plain small icon", { "aria-label": texts.common.close });
    const toast = h("div", { class: `toast ${kind}` }, h("span", {}, message), close);
    place.append(toast);
    if (kind !== "bad") setTimeout(() => toast.remove(), STAYS);
  };
  return { element: place, say };
}
