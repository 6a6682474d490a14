// All pictures of a filter in one grid that scrolls like a long page, with only a screenful of it in the document.

import { thumb } from "../../api.mjs";
import { h, uid } from "../../dom.mjs";
import { number, texts } from "../../texts.mjs";

const words = texts.grid;
const GAP = 12;
const LEAST = 150; // pixels a cell is wide at the least
const FOOT = 46; // pixels of name and counts below the picture
const AHEAD = 1; // rows above and below what is seen
const RESTS = 90; // ms after which a cell that is still seen gets its picture
const MOST_PICKED = 10000; // pictures picked by one key
const LONGEST = 75; // tokens of CLIP's context

/**
 * The grid over `pages`. `open(n)` is called for a picture; `element.refocus(n)` marks one and brings it into view. `picks` are the pictures
 * picked for an edit: by the mark in the corner, by Ctrl and Shift with a click, by the space bar; `leaveOut(row)` is called for the
 * key x; `fail(error)` when something cannot be done.
 */
export function grid(pages, { folder, open, picks, leaveOut, fail }) {
  const inner = h("div", { class: "cells", role: "presentation" });
  const element = h(
    "div",
    { class: "browse-grid", role: "listbox", tabIndex: 0, "aria-multiselectable": "true", "aria-label": words.pictures, "aria-describedby": "browse-keys" },
    inner,
  );
  const cells = new Map(); // place → cell
  const spare = [];
  let columns = 1;
  let width = LEAST;
  let chosen = 0; // where the keyboard is
  let anchor = 0; // where a range that is picked begins
  let timer = 0;
  let frame = 0;

  const height = () => width + FOOT;
  const rows = () => Math.ceil((pages.total ?? 0) / columns);

  const measure = () => {
    const room = inner.clientWidth;
    if (!room) return;
    const first = Math.floor(element.scrollTop / (height() + GAP)) * columns;
    columns = Math.max(2, Math.floor((room + GAP) / (LEAST + GAP)));
    width = Math.floor((room - GAP * (columns - 1)) / columns);
    inner.style.height = `${Math.max(0, rows() * (height() + GAP) - GAP)}px`;
    // what was seen before the window changed its size is seen after it
    if (first) element.scrollTop = Math.floor(first / columns) * (height() + GAP);
    for (const cell of cells.values()) cell.drawn = null;
    draw();
  };

  const draw = () => {
    frame = 0;
    const total = pages.total ?? 0;
    const step = height() + GAP;
    const first = Math.max(0, Math.floor(element.scrollTop / step) - AHEAD) * columns;
    const last = Math.min(total, (Math.ceil((element.scrollTop + element.clientHeight) / step) + AHEAD) * columns) - 1;
    for (const [place, cell] of cells) {
      if (place >= first && place <= last) continue;
      cells.delete(place);
      retire(cell);
    }
    for (let place = first; place <= last; place += 1) {
      const cell = cells.get(place) ?? take(place);
      put(cell, place, total);
    }
    if (last >= first) pages.want(first, last);
    clearTimeout(timer);
    timer = setTimeout(load, RESTS);
    mark();
  };

  const take = (place) => {
    const cell = spare.pop() ?? make();
    cells.set(place, cell);
    cell.drawn = null;
    inner.append(cell.element);
    return cell;
  };
  const retire = (cell) => {
    // a picture without an address is not fetched any further
    cell.image.removeAttribute("src");
    cell.element.remove();
    cell.row = null;
    spare.push(cell);
  };
  const make = () => {
    const image = h("img", { alt: "", decoding: "async", draggable: false });
    image.addEventListener("load", () => image.classList.add("there"));
    const name = h("span", { class: "cut name" });
    const facts = h("span", { class: "cut facts-line" });
    const box = h("div", { class: "cell", role: "option", id: uid("cell") }, h("div", { class: "thumb" }, image, h("span", { class: "pick", title: words.pick, "aria-hidden": "true" })), name, facts);
    const cell = { element: box, image, name, facts, row: null, drawn: null, place: 0 };
    box.addEventListener("click", (event) => {
      choose(cell.place);
      if (event.shiftKey) pickTo(cell.place);
      // while some are picked, a click picks another
      else if (event.ctrlKey || event.metaKey || picks.size || event.target.classList.contains("pick")) pick(cell.place);
      else open(cell.place);
    });
    // Shift with a click is not meant to mark text
    box.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
    return cell;
  };
  const put = (cell, place, total) => {
    const row = pages.row(place);
    if (cell.drawn === row && row && cell.place === place) return;
    const { element: box } = cell;
    cell.place = place;
    cell.drawn = row;
    const x = (place % columns) * (width + GAP);
    const y = Math.floor(place / columns) * (height() + GAP);
    box.style.cssText = `width:${width}px;height:${height()}px;transform:translate(${x}px,${y}px)`;
    box.setAttribute("aria-posinset", place + 1);
    box.setAttribute("aria-setsize", total);
    box.toggleAttribute("data-waits", !row);
    if (cell.row?.id !== row?.id) {
      cell.image.removeAttribute("src");
      cell.image.classList.remove("there");
    }
    cell.row = row;
    cell.name.textContent = row?.name ?? "";
    cell.name.title = row?.name ?? "";
    cell.facts.replaceChildren(...(row ? facts(row) : []));
    box.setAttribute("aria-label", row ? `${row.name}, ${row.caption || words.noCaption}` : texts.common.loading);
  };
  const facts = (row) => {
    if (row.problems.length) return [h("span", { class: "bad" }, words.problem[row.problems[0]])];
    if (row.left_out !== null) return [h("span", { class: "none", title: row.left_out }, words.leftOut)];
    if (!row.captioned) return [h("span", { class: "none" }, words.noCaption)];
    return [
      h("span", {}, words.tagCount(row.tags)),
      h("span", { class: row.tokens > LONGEST ? "warn-text" : "", title: row.tokens > LONGEST ? words.long : "" }, words.tokens(row.tokens)),
      row.sure < 0.8 ? h("span", { class: "unsure-mark", title: words.unsure(row.sure) }, "?") : "",
    ];
  };
  const load = () => {
    const size = width * devicePixelRatio > 260 ? 384 : 192;
    for (const cell of cells.values()) {
      if (cell.row && !cell.image.hasAttribute("src")) cell.image.src = thumb(folder(), cell.row.name, size);
    }
  };

  // which one the keyboard is at

  const mark = () => {
    for (const [place, cell] of cells) {
      cell.element.toggleAttribute("data-at", place === chosen);
      cell.element.setAttribute("aria-selected", String(Boolean(cell.drawn && picks.has(cell.drawn.name))));
    }
    element.toggleAttribute("data-picking", picks.size > 0);
    const cell = cells.get(chosen);
    if (cell) element.setAttribute("aria-activedescendant", cell.element.id);
    else element.removeAttribute("aria-activedescendant");
  };
  const choose = (place) => {
    if (!pages.total) return;
    chosen = Math.min(pages.total - 1, Math.max(0, place));
    const top = Math.floor(chosen / columns) * (height() + GAP);
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height() > element.scrollTop + element.clientHeight) element.scrollTop = top + height() - element.clientHeight;
    draw();
  };

  // picking

  const pick = async (place) => {
    anchor = place;
    try {
      const row = await pages.get(place);
      if (row) picks.toggle(row);
    } catch (error) {
      fail(error);
    }
  };
  const pickTo = async (place, from = anchor) => {
    try {
      picks.add(await pages.span(Math.min(from, place), Math.max(from, place)));
    } catch (error) {
      fail(error);
    }
  };
  picks.addEventListener("change", mark);

  element.addEventListener("keydown", (event) => {
    if (event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() === "a" && pages.total) {
      event.preventDefault();
      if (pages.total <= MOST_PICKED) pickTo(pages.total - 1, 0);
      else fail(new Error(words.tooManyToPick(MOST_PICKED)));
      return;
    }
    if (control) return;
    const screen = Math.max(1, Math.floor(element.clientHeight / (height() + GAP))) * columns;
    const to = {
      ArrowRight: chosen + 1,
      ArrowLeft: chosen - 1,
      ArrowDown: chosen + columns,
      ArrowUp: chosen - columns,
      PageDown: chosen + screen,
      PageUp: chosen - screen,
      Home: 0,
      End: (pages.total ?? 1) - 1,
    }[event.key];
    if (to !== undefined) {
      const from = chosen;
      choose(to);
      if (event.shiftKey) {
        if (!picks.size) anchor = from;
        pickTo(chosen);
      }
    } else if (event.key === " " && pages.total) pick(chosen);
    else if (event.key === "x" && pages.row(chosen)) leaveOut(pages.row(chosen));
    else if (event.key === "Escape" && picks.size) picks.clear();
    else if (event.key === "Enter" && pages.total) open(chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener("scroll", () => (frame ||= requestAnimationFrame(draw)), { passive: true });
  pages.addEventListener("rows", draw);
  pages.addEventListener("total", ({ detail }) => {
    if (detail.first) {
      chosen = anchor = 0;
      element.scrollTop = 0;
    }
    chosen = Math.min(chosen, Math.max(0, (pages.total ?? 1) - 1));
    element.setAttribute("aria-label", `${words.pictures}: ${number(pages.total ?? 0)}`);
    measure();
  });
  new ResizeObserver(measure).observe(inner);
  element.refocus = (place) => {
    choose(place);
    element.focus({ preventScroll: true });
  };
  element.measure = measure;
  return element;
}
