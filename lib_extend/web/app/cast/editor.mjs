// The region editor: the picture's frame with a lettered box for each character. Boxes are elements of their own, so
// that keys and screen readers reach them; what pointers do is in gestures.mjs.

import { h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { colorOf } from "../parts/persons.mjs";
import { gestures } from "./gestures.mjs";
import { inputPicture, lastPicture, size } from "./host.mjs";
import { ARRANGE, moved, resized } from "./places.mjs";
import { LETTERS, MOST } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.editor;
const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const STEP = 0.01;
const BIG = 0.1;

/** The editor. `under(src)` lays a picture of the page's under the boxes; `cover` is where others show what they do. */
export function editor({ tab, store }) {
  const image = h("img", { class: "under", alt: "", draggable: false, hidden: true });
  const boxes = h("div", { class: "boxes" });
  const hint = h("p", { class: "hint start" }, words.start);
  const guides = [h("span", { class: "guide x", hidden: true }), h("span", { class: "guide y", hidden: true })];
  const cover = h("div", { class: "cover", hidden: true });
  const said = h("span", { class: "visually-hidden", "aria-live": "polite" });
  const canvas = h("div", { class: "canvas", role: "group", "aria-label": words.canvas }, image, hint, boxes, guides, cover);
  const keys = h("span", { class: "visually-hidden", id: "box-keys" }, words.keys);
  const draw = button(words.draw, () => mode(draw.getAttribute("aria-pressed") !== "true"), "small", { "aria-pressed": "false", title: words.drawHint });
  const arrange = Object.keys(ARRANGE).map((kind) => button(icon(kind), () => store.arrange(kind), "small icon", { "aria-label": words.arrange[kind], title: words.arrange[kind] }));
  const below = h(
    "select",
    { class: "small-select", "aria-label": words.under, on: { change: () => lay(below.value) } },
    ["none", "last", ...(tab === "img2img" ? ["input"] : [])].map((kind) => h("option", { value: kind }, words.unders[kind])),
  );
  const measure = h("span", { class: "hint measure" });
  const element = h(
    "div",
    { class: "stack close editor" },
    h("div", { class: "frame" }, canvas),
    h("div", { class: "row tight tools" }, arrange, draw, h("span", { class: "grow" }), measure, below),
    keys,
    said,
  );
  const mode = (on) => {
    draw.setAttribute("aria-pressed", String(on));
    canvas.toggleAttribute("data-draw", on);
  };

  const make = (at) => {
    const box = h(
      "div",
      {
        class: "box",
        tabIndex: 0,
        role: "group",
        "aria-describedby": keys.id,
        data: { at },
        style: `--color:${colorOf(at)}`,
        on: { focus: () => store.select(at), keydown: (event) => key(event, at) },
      },
      h("span", { class: "letter" }, LETTERS[at]),
      h("span", { class: "name cut" }),
      HANDLES.map((edges) => h("span", { class: `handle ${edges}`, data: { edges } })),
    );
    return box;
  };
  const show = () => {
    const { characters } = store.state;
    while (boxes.children.length > characters.length) boxes.lastChild.remove();
    while (boxes.children.length < characters.length) boxes.append(make(boxes.children.length));
    characters.forEach(({ box: [x0, y0, x1, y1], name }, at) => {
      const one = boxes.children[at];
      one.style.left = `${100 * x0}%`;
      one.style.top = `${100 * y0}%`;
      one.style.width = `${100 * (x1 - x0)}%`;
      one.style.height = `${100 * (y1 - y0)}%`;
      // small ones above large ones, so that all can be reached
      one.style.zIndex = 2 + Math.round(100 * (1 - (x1 - x0) * (y1 - y0)));
      one.querySelector(".name").textContent = name;
      one.setAttribute("aria-label", words.box(LETTERS[at], name, where(at)));
    });
    hint.hidden = characters.length > 0;
    element.toggleAttribute("data-prompt-only", store.state.mode === "prompt");
    for (const one of arrange) one.disabled = characters.length === 0;
    draw.disabled = characters.length >= MOST;
    if (draw.disabled) mode(false);
    select();
  };
  const select = () => {
    for (const one of boxes.children) one.toggleAttribute("data-selected", Number(one.dataset.at) === store.selected);
  };
  const where = (at) => words.where(...store.state.characters[at].box.map((v) => Math.round(v * 100)));

  const key = (event, at) => {
    const step = event.altKey ? BIG : STEP;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (by) {
      const { box } = store.state.characters[at];
      if (!event.repeat) store.keep();
      store.character(at, { box: event.shiftKey ? resized(box, "se", ...by) : moved(box, ...by) });
      said.textContent = where(at);
    } else if (event.key === "Delete") {
      store.remove(at);
      (boxes.children[Math.min(at, boxes.children.length - 1)] ?? draw).focus();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
      store.undo();
      (boxes.children[store.selected] ?? draw).focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  gestures(canvas, boxes, store, {
    guide: ([x, y]) => {
      guides[0].hidden = x === null;
      guides[1].hidden = y === null;
      if (x !== null) guides[0].style.left = `${100 * x}%`;
      if (y !== null) guides[1].style.top = `${100 * y}%`;
    },
    drawn: () => mode(false),
    say: (at) => (said.textContent = where(at)),
  });

  // what lies under the boxes

  const own = h("option", { value: "own" }, words.unders.own);
  let address = "";
  const lay = (kind) => {
    const src = { none: "", last: lastPicture(tab), input: inputPicture(tab), own: address }[kind] ?? "";
    image.hidden = !src;
    canvas.toggleAttribute("data-under", Boolean(src));
    if (src && image.src !== src) image.src = src;
    if (!src) image.removeAttribute("src");
  };
  image.addEventListener("error", () => lay("none"));
  const under = (src) => {
    if (address) URL.revokeObjectURL(address);
    address = src;
    if (!own.isConnected) below.append(own);
    below.value = "own";
    lay("own");
  };

  // the WebUI's size fields, whoever changes them
  const look = () => {
    const [width, height] = size(tab);
    const words = `${width} × ${height}`;
    if (below.value === "last" || below.value === "input") lay(below.value);
    if (measure.textContent === words) return;
    measure.textContent = words;
    store.aspect = width / height;
    canvas.style.setProperty("--aspect", String(store.aspect));
  };
  store.on("look", look);
  store.on("change", show);
  store.on("select", select);
  look();
  show();
  return { element, canvas, cover, under, focus: (at) => boxes.children[at]?.focus() };
}

function icon(kind) {
  const cells = { columns: 3, rows: 3, grid: 4 }[kind];
  return h("span", { class: `arrange ${kind}`, "aria-hidden": "true" }, Array.from({ length: cells }, () => h("i")));
}
