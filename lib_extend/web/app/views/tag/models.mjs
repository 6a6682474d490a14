// Which tagger and which vision-language model: from the list, or a folder or server of one's own.

import { fill, h, uid } from "../../dom.mjs";
import { bytes, label, texts } from "../../texts.mjs";
import { button } from "../../parts/button.mjs";
import { field } from "../../parts/field.mjs";

const words = texts.settings;
const OTHER = "\0other";
const KINDS = {
  tagger: { list: "taggers", none: words.noTagger, other: words.otherTagger },
  vlm: { list: "vlms", none: words.noVlm, other: words.otherVlm },
};

/** What is known of a model, in a line. */
function facts(model) {
  if (!model) return "";
  const note = model.note ?? "";
  const known = [
    model.here ? "" : model.bytes ? words.downloadSize(bytes(model.bytes)) : words.download,
    model.gated && words.gated,
    model.licence && !note.includes(model.licence) && model.licence,
    note.replace(/^[\d,.]+ MB,? ?/, ""),
  ];
  return known.filter(Boolean).join(" · ");
}

/** The settings of how several taggers agree, shown where there are several. */
export const OF_SEVERAL = ["tagger_agreement", "tagger_thresholds"];

/** The further taggers after the first one, a choice of one more, and how they agree. */
function furtherTaggers(app) {
  const names = () => app.value("tagger").split(",").map((n) => n.trim()).filter(Boolean);
  const choose = (all) => app.change({ tagger: all.join(",") });
  const element = h("div", { class: "stack close" });
  let shown = "";
  element.draw = () => {
    const all = names();
    const rest = (app.models?.taggers ?? []).filter((m) => !all.includes(m.name));
    const now = JSON.stringify([all, rest.length, OF_SEVERAL.map((name) => app.value(name))]);
    if (now === shown) return;
    shown = now;
    const add = h(
      "select",
      { "aria-label": words.anotherTagger },
      h("option", { value: "" }, words.anotherTagger),
      rest.map((m) => h("option", { value: m.name }, m.here || !m.bytes ? m.name : `${m.name}  (${bytes(m.bytes)})`)),
    );
    add.addEventListener("change", () => add.value && choose([...all, add.value]));
    fill(
      element,
      all.slice(1).map((name) =>
        h(
          "div",
          { class: "row tight" },
          h("span", { class: "grow wrap" }, name),
          button("×", () => choose(all.filter((n) => n !== name)), "small icon", { "aria-label": words.removeItem(name), title: words.removeItem(name) }),
        ),
      ),
      all[0] !== "none" && rest.length > 0 && add,
      all.length > 1 && OF_SEVERAL.map((name) => field(app.setting(name), app.value(name), (value) => app.change({ [name]: value }))),
    );
  };
  return element;
}

/** The choice of one of the two models; `name` is "tagger" or "vlm". Of several taggers this is the first. */
export function modelField(app, name) {
  const further = name === "tagger" ? furtherTaggers(app) : null;
  // a folder's path may have a comma, but only one that is no list of names
  const chosen = () => (further ? app.value(name).split(",") : [app.value(name)]).map((n) => n.trim());
  const choose = (value) => app.change({ [name]: [value, ...(value === "none" ? [] : chosen().slice(1))].join(",") });
  const { list, none, other } = KINDS[name];
  const id = uid(name);
  const select = h("select", { id, "aria-describedby": `${id}-hint` });
  const own = h("input", { type: "text", placeholder: other, "aria-label": other, spellcheck: false, hidden: true });
  const hint = h("span", { class: "hint", id: `${id}-hint` });
  const error = h("span", { class: "error", role: "alert", hidden: true });
  const server = h("div");
  const element = h(
    "div",
    { class: "field" },
    h("div", { class: "head" }, h("label", { for: id, class: "label" }, label(name)), h("span", { class: "badge good", hidden: true }, words.here)),
    select,
    own,
    hint,
    error,
    server,
    further,
  );
  element.dataset.setting = name;
  const badge = element.querySelector(".badge");

  const known = () => app.models?.[list] ?? [];
  const options = () => {
    const models = known();
    const group = (title, some) =>
      some.length > 0 &&
      h(
        "optgroup",
        { label: title },
        some.map((m) => h("option", { value: m.name }, m.here || !m.bytes ? m.name : `${m.name}  (${bytes(m.bytes)})`)),
      );
    fill(
      select,
      h("option", { value: "none" }, none),
      // until the list is there, the one that is chosen
      !app.models && chosen()[0] !== "none" && h("option", { value: chosen()[0] }, chosen()[0]),
      group(words.onThisMachine, models.filter((m) => m.here)),
      group(words.toDownload, models.filter((m) => !m.here)),
      h("option", { value: OTHER }, words.other),
    );
  };
  const draw = () => {
    const [value] = chosen();
    const listed = value === "none" || !app.models || known().some((m) => m.name === value);
    if (!app.models) options();
    select.value = listed ? value : OTHER;
    own.hidden = listed;
    if (!listed && element.getRootNode().activeElement !== own) own.value = value;
    const model = known().find((m) => m.name === value);
    badge.hidden = !model?.here;
    hint.textContent = app.modelsError || facts(model) || (app.models || value === "none" ? "" : texts.common.loading);
    hint.hidden = !hint.textContent;
    further?.draw();
    const asksServer = name === "vlm" && /^https?:/.test(value);
    if (asksServer !== server.childNodes.length > 0) {
      fill(server, asksServer && field(app.setting("vlm_model"), app.value("vlm_model"), (v) => app.change({ vlm_model: v })));
    }
  };
  select.addEventListener("change", () => {
    if (select.value !== OTHER) return choose(select.value);
    own.hidden = false;
    own.value = "";
    badge.hidden = true;
    hint.hidden = true;
    own.focus();
  });
  own.addEventListener("change", () => own.value.trim() && choose(own.value.trim()));
  element.set = draw;
  element.fail = (sentence) => {
    error.textContent = sentence;
    error.hidden = !sentence;
  };
  app.on("models", () => (options(), draw()));
  options();
  draw();
  return element;
}
