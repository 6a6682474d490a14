// The tags of what is filtered, with how many pictures have each; a click filters by it.

import { api } from "../../api.mjs";
import { fill, h, later } from "../../dom.mjs";
import { loading, trouble } from "../../parts/states.mjs";
import { spoken } from "../../parts/tags.mjs";
import { number, texts } from "../../texts.mjs";
import { has, tagTerm } from "./terms.mjs";

const words = texts.grid;
const STEP = 200;

/** `toggle(term)` puts a term into the filter or out of it; `element.show(folder, filter)` fetches the tags. */
export function tagTable(toggle) {
  const search = h("input", { type: "search", placeholder: words.findTag, "aria-label": words.findTag, spellcheck: false, autocomplete: "off" });
  const badge = h("span", { class: "badge" });
  const list = h("ul", { class: "tag-rows", "aria-label": words.tagTable });
  const element = h(
    "details",
    { class: "card tag-table" },
    h("summary", {}, h("h2", {}, words.tagTable), badge),
    h("div", { class: "stack close" }, search, list),
  );
  let folder = "";
  let filter = "";
  let limit = STEP;
  let request = null;
  let stale = true;

  const look = async () => {
    if (!folder || !element.open) {
      stale = true;
      return;
    }
    stale = false;
    request?.abort();
    const mine = (request = new AbortController());
    if (!list.children.length) fill(list, h("li", {}, loading(200)));
    try {
      const { total, rows } = await api.get(`datasets/${folder}/tags`, { filter, like: search.value.trim(), limit }, mine.signal);
      if (mine === request) draw(total, rows);
    } catch (error) {
      // a filter that cannot be read is told of where it is typed
      if (mine === request && error.name !== "AbortError" && error.status !== 400) fill(list, h("li", {}, trouble(error.message, look)));
    }
  };
  const draw = (total, rows) => {
    badge.textContent = number(total);
    const most = Math.max(1, ...rows.map((r) => r.count));
    const at = list.scrollTop;
    fill(
      list,
      rows.length === 0 && h("li", { class: "hint" }, search.value ? words.noSuchTag : words.noTags),
      rows.map(({ tag, count }) => row(tag, count, most)),
      total > rows.length && h("li", {}, h("button", { type: "button", class: "link small", on: { click: () => ((limit += 1000), look()) } }, texts.common.more(Math.min(1000, total - rows.length)))),
    );
    list.scrollTop = at;
  };
  const row = (tag, count, most) => {
    const [is, not] = [tagTerm(tag), tagTerm(tag, "missing")];
    return h(
      "li",
      { class: "tag-row", style: `--share:${(100 * count) / most}%` },
      h(
        "button",
        { type: "button", class: "tag-name", "aria-pressed": String(has(filter, is)), title: words.withTag(spoken(tag)), on: { click: () => toggle(is) } },
        h("span", { class: "cut" }, spoken(tag)),
        h("span", { class: "count" }, number(count)),
      ),
      h(
        "button",
        { type: "button", class: "tag-not", "aria-pressed": String(has(filter, not)), "aria-label": words.withoutTag(spoken(tag)), title: words.withoutTag(spoken(tag)), on: { click: () => toggle(not) } },
        "−",
      ),
    );
  };
  search.addEventListener("input", later(() => ((limit = STEP), look()), 200));
  element.addEventListener("toggle", () => element.open && stale && look());
  element.show = (id, text) => {
    if (id !== folder) fill(list);
    if (id !== folder || text !== filter) limit = STEP;
    [folder, filter] = [id, text];
    look();
  };
  return element;
}
