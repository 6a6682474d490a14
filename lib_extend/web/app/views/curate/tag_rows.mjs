// The tags of the folder: what stays, what goes, by which step, and what a person decided against the rules.

import { fill, h, later } from "../../dom.mjs";
import { spoken } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";
import { reasonOf } from "./reasons.mjs";

const words = texts.curate;
const STEP = 100;

/** The list of decisions on one tag; `decided(tag, decision)` is told. */
export function decision(tag, overrule, decided) {
  const select = h(
    "select",
    { class: "decision", "aria-label": words.decideFor(spoken(tag)), data: { decision: overrule } },
    ["", "keep", "drop"].map((id) => h("option", { value: id }, words.decide[id])),
  );
  select.value = overrule;
  select.addEventListener("change", () => decided(tag, select.value));
  return select;
}

/** The table; `ask()` fetches what it shows anew, `decided` is told of a person's decisions. */
export function tagRows(ask, decided) {
  const find = h("input", { type: "search", placeholder: words.find, "aria-label": words.find, spellcheck: false, autocomplete: "off" });
  const choice = (label, entries) => h("select", { "aria-label": label }, Object.entries(entries).map(([id, text]) => h("option", { value: id }, text)));
  const only = choice(words.only, words.onlyWhich);
  const sort = choice(words.sort, words.sorts);
  const body = h("tbody");
  const more = h("button", { type: "button", class: "link", hidden: true });
  const none = h("p", { class: "hint", hidden: true }, words.none);
  let limit = STEP;

  const anew = () => {
    limit = STEP;
    ask();
  };
  find.addEventListener("input", later(anew, 150));
  only.addEventListener("change", anew);
  sort.addEventListener("change", anew);
  more.addEventListener("click", () => {
    limit += 1000;
    ask();
  });

  const element = h(
    "div",
    { class: "stack close" },
    h("div", { class: "row bar" }, h("div", { class: "grow" }, find), only, sort),
    h(
      "table",
      { class: "curate-tags" },
      h("thead", {}, h("tr", {}, [words.tag, words.on, words.why, words.decision].map((title) => h("th", { scope: "col" }, title)))),
      body,
    ),
    none,
    more,
  );
  element.query = () => ({ like: find.value.trim(), only: only.value, sort: sort.value, limit });
  element.draw = ({ total, rows }) => {
    const focused = element.getRootNode().activeElement?.closest?.("tr")?.dataset.tag;
    fill(
      body,
      rows.map((row) =>
        h(
          "tr",
          { data: { tag: row.name, category: row.category ?? "" }, class: row.kept === 0 ? "gone" : "" },
          h("th", { scope: "row" }, h("span", { class: "curate-name" }, spoken(row.name))),
          h(
            "td",
            { class: "amount" },
            h("span", { class: "stays", "aria-hidden": "true", style: `--kept:${(100 * row.kept) / Math.max(1, row.kept + row.dropped)}%` }),
            h("span", {}, row.dropped ? `${words.kept(row.kept)} · ${words.dropped(row.dropped)}` : words.kept(row.kept)),
          ),
          h(
            "td",
            { class: "why" },
            row.by.map((by) => h("div", {}, h("span", { class: "badge" }, words.steps[by.step] ?? by.step), " ", reasonOf(by), row.by.length > 1 && h("span", { class: "muted" }, ` ${words.times(by.pictures)}`))),
          ),
          h("td", {}, decision(row.name, row.overrule, decided)),
        ),
      ),
    );
    none.hidden = rows.length > 0;
    more.hidden = total <= rows.length;
    more.textContent = texts.common.more(Math.min(1000, total - rows.length));
    if (focused) [...body.rows].find((tr) => tr.dataset.tag === focused)?.querySelector("select")?.focus();
  };
  return element;
}
