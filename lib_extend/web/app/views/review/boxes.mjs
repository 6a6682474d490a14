// A picture with the persons' boxes and letters over it; they can be moved and resized, by pointer and by keys.

import { fill, h, svg } from "../../dom.mjs";
import { colorOf } from "../../parts/persons.mjs";
import { texts } from "../../texts.mjs";

const words = texts.review;
const LEAST = 8; // pixels of the picture that a box keeps
const CORNERS = [[0, 1], [2, 1], [2, 3], [0, 3]]; // which of [x0, y0, x1, y1] each corner moves
const STEP = 0.01; // of the picture's longer side, for an arrow key

/**
 * The stage. `element.show(src, alt)` shows a picture; `element.mark(persons, width, height, person)` draws boxes over
 * it, in its pixels, one of them (its number from 1) stronger; `element.edit(changed)` lets them be moved, `null` ends it.
 */
export function stage() {
  const image = h("img", { alt: "", decoding: "async", draggable: false });
  const over = svg("svg", { "aria-hidden": "true" });
  const element = h("figure", { class: "review-stage" }, image, over);
  let persons = [];
  let size = [0, 0];
  let stronger = 0;
  let changed = null;

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const draw = () => {
    const [width, height] = size;
    over.toggleAttribute("hidden", !width);
    if (!width) return;
    const unit = Math.max(width, height) / 30;
    over.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (changed) over.removeAttribute("aria-hidden");
    else over.setAttribute("aria-hidden", "true");
    fill(over, persons.map((person, at) => mark(person, at, unit)));
  };
  const mark = (person, at, unit) => {
    const [x0, y0, x1, y1] = person.box;
    const faint = stronger > 0 && stronger !== at + 1 && !changed;
    const rect = (attributes) => svg("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, ...attributes });
    const group = svg(
      "g",
      { class: "person-box", opacity: faint ? 0.35 : 1 },
      rect({ fill: "transparent", stroke: "#fff", "stroke-width": unit / 4, "stroke-opacity": 0.85, class: "frame" }),
      rect({ fill: "none", stroke: colorOf(at), "stroke-width": unit / (stronger === at + 1 ? 5 : 8), "pointer-events": "none" }),
      svg("rect", { x: x0, y: y0, width: unit * 1.5, height: unit * 1.5, fill: colorOf(at), "pointer-events": "none" }),
      svg("text", { x: x0 + unit * 0.75, y: y0 + unit * 1.1, "text-anchor": "middle", "font-size": unit, "font-weight": 700, fill: "#fff", "pointer-events": "none" }, person.letter || String(at + 1)),
    );
    if (!changed) return group;
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", words.box(person.letter));
    group.querySelector(".frame").addEventListener("pointerdown", (event) => drag(event, at, null));
    group.addEventListener("keydown", (event) => keys(event, at));
    for (const [n, [i, j]] of CORNERS.entries()) {
      const handle = svg("circle", { cx: person.box[i], cy: person.box[j], r: unit / 2.2, fill: "#fff", stroke: colorOf(at), "stroke-width": unit / 8, class: `handle ${n % 2 ? "ne" : "nw"}` });
      handle.addEventListener("pointerdown", (event) => drag(event, at, [i, j]));
      group.append(handle);
    }
    return group;
  };
  const point = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(over.getScreenCTM().inverse());
    return [at.x, at.y];
  };
  /** Move a whole box (`corner` null) or the corner whose two numbers these are, by (dx, dy) from `start`. */
  const moved = (start, corner, dx, dy) => {
    const [width, height] = size;
    const box = [...start];
    if (corner) {
      const [i, j] = corner;
      box[i] = i === 0 ? clamp(start[0] + dx, 0, start[2] - LEAST) : clamp(start[2] + dx, start[0] + LEAST, width);
      box[j] = j === 1 ? clamp(start[1] + dy, 0, start[3] - LEAST) : clamp(start[3] + dy, start[1] + LEAST, height);
      return box;
    }
    const x = clamp(dx, -start[0], width - start[2]);
    const y = clamp(dy, -start[1], height - start[3]);
    return [start[0] + x, start[1] + y, start[2] + x, start[3] + y];
  };
  const drag = (event, at, corner) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    const start = [...persons[at].box];
    const [x, y] = point(event);
    const move = (now) => {
      const [a, b] = point(now);
      persons[at].box = moved(start, corner, a - x, b - y);
      draw();
    };
    const end = () => {
      over.removeEventListener("pointermove", move);
      over.removeEventListener("pointerup", end);
      over.removeEventListener("pointercancel", end);
      changed?.();
    };
    // the boxes are drawn anew while they move: the pointer belongs to what holds them
    over.setPointerCapture(event.pointerId);
    over.addEventListener("pointermove", move);
    over.addEventListener("pointerup", end);
    over.addEventListener("pointercancel", end);
  };
  const keys = (event, at) => {
    const step = Math.max(...size) * STEP;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    persons[at].box = moved(persons[at].box, event.shiftKey ? [2, 3] : null, ...by);
    draw();
    over.children[at]?.focus();
    changed?.();
  };

  element.show = (src, alt) => {
    image.classList.remove("there");
    image.src = src;
    image.alt = alt;
    element.mark([], 0, 0);
  };
  image.addEventListener("load", () => image.classList.add("there"));
  element.mark = (list, width, height, person = 0) => {
    [persons, size, stronger] = [list, [width, height], person];
    draw();
  };
  element.edit = (whenChanged) => {
    changed = whenChanged;
    element.toggleAttribute("data-edit", whenChanged !== null);
    draw();
  };
  return element;
}
