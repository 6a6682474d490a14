// A picture dropped, pasted or chosen fills the cast: who is where, with which tags.

import { api } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { progress } from "../parts/states.mjs";
import { Session } from "../session.mjs";
import { texts as page } from "../texts.mjs";
import { castOfPicture } from "./send.mjs";
import { texts } from "./texts.mjs";

const words = texts.picture;

/** `button`: the way in; `watch(element)` takes what is dropped or pasted there. `stage` is the editor. */
export function pictureIntake({ store, say }, stage) {
  const file = h("input", { type: "file", accept: "image/*", class: "visually-hidden", tabIndex: -1, "aria-label": words.choose });
  const choose = button(words.from, () => file.click(), "small", { title: words.hint });
  let request = null;

  const take = async (blob, name) => {
    if (!blob?.type?.startsWith("image/")) return say(words.notImage(name || "This"), "bad");
    request?.abort();
    const mine = (request = new AbortController());
    stage.under(URL.createObjectURL(blob));
    const bar = progress(words.looking);
    const line = h("p", { class: "hint" }, words.first);
    stage.cover.hidden = false;
    fill(stage.cover, h("p", { class: "strong", role: "status" }, words.looking), bar, line, button(words.stop, () => mine.abort(), "small"));
    const watching = setInterval(() => watch(bar, line), 1000);
    const form = new FormData();
    form.append("image", blob, name || "picture");
    // the tagger and its thresholds are those of the tab, and where that says nothing, those used last
    form.append("config", JSON.stringify(new Session().get("config", {})));
    try {
      const cast = await castOfPicture(form, mine.signal);
      if (mine === request) fillFrom(cast);
    } catch (error) {
      if (mine === request && error.name !== "AbortError") say(error.message, "bad");
    }
    clearInterval(watching);
    if (mine !== request) return undefined;
    stage.cover.hidden = true;
    return fill(stage.cover);
  };
  const fillFrom = (cast) => {
    store.fill(cast);
    say(words.filled(cast.characters.length), "good");
  };
  // what the answer waits for: a download, a model loading
  const watch = async (bar, line) => {
    const now = await api.get("state").then((state) => state.worker?.loading, () => null);
    bar.set({ done: now?.done, total: now?.total });
    line.textContent = now ? now.what + (now.total > 0 ? `: ${page.job.downloading(now.done, now.total)}` : "") : words.first;
  };

  file.addEventListener("change", () => {
    const [given] = file.files;
    file.value = "";
    if (given) take(given, given.name);
  });
  const intake = (element) => {
    element.append(file);
    const over = (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return false;
      // the WebUI takes dropped pictures, too
      event.preventDefault();
      event.stopPropagation();
      element.toggleAttribute("data-over", event.type === "dragover");
      return true;
    };
    element.addEventListener("dragover", over);
    element.addEventListener("dragleave", over);
    element.addEventListener("drop", (event) => {
      if (!over(event)) return;
      const [given] = event.dataTransfer.files;
      if (given) take(given, given.name);
    });
    element.addEventListener("paste", (event) => {
      const [given] = event.clipboardData?.files ?? [];
      if (!given?.type.startsWith("image/")) return;
      event.preventDefault();
      event.stopPropagation();
      take(given, given.name);
    });
  };
  return { button: choose, watch: intake };
}
