// A picture with its persons drawn on it: boxes and letters.

import { h, svg } from "../dom.mjs";

const COLORS = ["#f97316", "#2563eb", "#16a34a", "#c026d3", "#0891b2"];

/** A box as [x0, y0, x1, y1], whichever way it came. */
export const corners = (box) => (Array.isArray(box) ? box : [box.x0, box.y0, box.x1, box.y1]);
export const colorOf = (at) => COLORS[at % COLORS.length];

/** `width` and `height` are the picture's pixels, in which the boxes are. */
export function personsOn(src, alt, persons, width, height) {
  const image = h("img", { src, alt });
  if (!width || !height) return h("figure", { class: "persons" }, image);
  // letters keep one size on the screen, whatever the picture's
  const unit = Math.max(width, height) / 28;
  const marks = persons.map((person, at) => {
    const [x0, y0, x1, y1] = corners(person.box);
    const name = person.letter || String(at + 1);
    return svg(
      "g",
      {},
      svg("rect", { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0), fill: "none", stroke: "#fff", "stroke-width": unit / 4, "stroke-opacity": 0.8 }),
      svg("rect", { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0), fill: "none", stroke: colorOf(at), "stroke-width": unit / 8 }),
      svg("rect", { x: x0, y: y0, width: unit * 1.5, height: unit * 1.5, fill: colorOf(at) }),
      svg("text", { x: x0 + unit * 0.75, y: y0 + unit * 1.1, "text-anchor": "middle", "font-size": unit, "font-weight": 700, fill: "#fff" }, name),
    );
  });
  return h(
    "figure",
    { class: "persons", style: `aspect-ratio:${width}/${height}` },
    image,
    svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, marks),
  );
}
