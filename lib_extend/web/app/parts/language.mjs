// Choosing the page's language.

import { h } from "../dom.mjs";
import { LANGUAGES, choose, chosen, language, texts } from "../texts.mjs";
import { confirm } from "./dialog.mjs";

const words = texts.language;

/** A list of the languages, each by its own name. The page is loaded again with the one that is chosen. */
export function languageChoice(app) {
  const select = h(
    "select",
    { class: "language", "aria-label": words.label, title: words.label },
    h("option", { value: "", lang: language }, words.auto),
    LANGUAGES.map(({ id, name }) => h("option", { value: id, lang: id }, name)),
  );
  select.value = chosen();
  select.addEventListener("change", async () => {
    const wanted = select.value;
    // only where a WebUI is around us something that was typed can be lost
    const go = !app.hosted || (await confirm(app.place, words.ask, words.hosted, words.do));
    if (go && choose(wanted)) return void location.reload();
    if (go) app.say(words.blocked, "bad");
    select.value = chosen();
  });
  return select;
}
