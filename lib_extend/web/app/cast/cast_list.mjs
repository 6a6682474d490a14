// The characters, one card each.

import { h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { characterCard } from "./character.mjs";
import { MOST } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.cast;

export function castList(context, stage) {
  const { store } = context;
  const list = h("ol", { class: "stack characters" });
  const add = button(words.add, () => list.children[store.add()]?.querySelector("textarea").focus(), "", { class: "button add" });
  const full = h("span", { class: "hint" }, words.full(MOST));
  const show = () => {
    const { characters } = store.state;
    while (list.children.length > characters.length) list.lastChild.remove();
    while (list.children.length < characters.length) list.append(characterCard(context, stage, list.children.length));
    add.hidden = characters.length >= MOST;
    full.hidden = !add.hidden;
    add.textContent = characters.length ? words.another : words.add;
    select();
  };
  const select = () => {
    [...list.children].forEach((card, at) => card.toggleAttribute("data-selected", at === store.selected && list.children.length > 1));
  };
  store.on("change", ({ live }) => !live && show());
  store.on("select", select);
  show();
  return h("div", { class: "stack close" }, list, h("div", {}, add, full));
}
