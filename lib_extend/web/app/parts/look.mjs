// What a custom element of ours needs to look right: its style sheets, the WebUI's light or dark, when it is seen first.

import { url } from "../api.mjs";
import { texts } from "../texts.mjs";

const sheets = new Map();

function sheet(name) {
  const made = (async () => {
    const reply = await fetch(url(`page/css/${name}.css`));
    if (!reply.ok) throw new Error(texts.errors.status(reply.status));
    return new CSSStyleSheet().replace(await reply.text());
  })();
  // what failed once may be there later
  made.catch(() => sheets.delete(name));
  return made;
}

/** The style sheets of these names, each fetched once a page. Raises what fetching raises. */
export function styles(names) {
  for (const name of names) if (!sheets.has(name)) sheets.set(name, sheet(name));
  return Promise.all(names.map((name) => sheets.get(name)));
}

/** Gradio marks dark mode by a class of the body. Returns a function that ends it. */
export function followTheme(element) {
  const look = () => {
    element.dataset.theme = document.body.classList.contains("dark") || document.querySelector(".gradio-container.dark") ? "dark" : "light";
  };
  look();
  const observer = new MutationObserver(look);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}

/** Resolves when the element is on the screen for the first time. */
export function seen(element) {
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => {
      if (element.offsetParent === null) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(element);
  });
}
