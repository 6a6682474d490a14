// Elements without a framework.

const SVG = "http://www.w3.org/2000/svg";
let last = 0;

/** An id that is unique in the page, to tie labels and hints to their fields. */
export function uid(word = "pe") {
  last += 1;
  return `${word}-${last}`;
}

/**
 * An element. `props`: `class`, `on` (event → listener), `data` (dataset), `aria-…`; others are set as properties where
 * the element has one of that name, else as attributes. null, undefined and false leave a prop or a child out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") element.style.cssText = value;
    else if (!name.includes("-") && name !== "list" && name in element) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

/** The same for SVG; attributes only. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  append(element, children);
  return element;
}

/** Replace what is in `element`. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** `work` at most once in `ms`, after the last call. */
export function later(work, ms) {
  let timer = 0;
  const run = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), ms);
  };
  run.cancel = () => clearTimeout(timer);
  return run;
}
