// Two captions, and what differs between them.

import { h } from "../dom.mjs";
import { texts } from "../texts.mjs";

const MOST = 400;

/** A caption in pieces: what stands between commas or line ends. */
function pieces(caption) {
  return caption.split(/[,\n]+/).map((t) => t.trim()).filter(Boolean);
}

/**
 * The pieces of two captions as `[mark, piece]` rows, mark being "=", "-" (only before) or "+" (only after): the fewest
 * that differ, by the longest common subsequence.
 */
export function compare(before, after) {
  const a = pieces(before).slice(0, MOST);
  const b = pieces(after).slice(0, MOST);
  const width = b.length + 1;
  const best = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      best[i * width + j] =
        a[i] === b[j]
          ? best[(i + 1) * width + j + 1] + 1
          : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const rows = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      rows.push(["=", a[i]]);
      i += 1;
      j += 1;
    } else if (i < a.length && (j === b.length || best[(i + 1) * width + j] >= best[i * width + j + 1])) {
      rows.push(["-", a[i]]);
      i += 1;
    } else {
      rows.push(["+", b[j]]);
      j += 1;
    }
  }
  return rows;
}

/** A caption with what was added and taken away marked. `before` null: the caption is new, and shown plainly. */
export function diff(before, after) {
  if (after === null) return h("p", { class: "diff" }, h("del", {}, before), " ", h("span", { class: "badge" }, texts.runs.deleted));
  if (before === null || before.trim() === "") {
    return after.trim()
      ? h("p", { class: "diff" }, after)
      : h("p", { class: "diff muted" }, texts.sample.noCaption);
  }
  const marks = { "=": "span", "-": "del", "+": "ins" };
  const rows = compare(before, after);
  return h(
    "p",
    { class: "diff" },
    rows.flatMap(([mark, piece], at) => [h(marks[mark], {}, piece), at < rows.length - 1 ? ", " : ""]),
  );
}
