// An edit of many captions while the server writes it: how far it is, and a button to stop it.

import { api } from "../../api.mjs";
import { fill, h } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { progress } from "../../parts/states.mjs";
import { texts } from "../../texts.mjs";

const words = texts.bulk;
const EVERY = 400;

/** The state of the edit that is being written on a folder: {running, done, total, stopping}. Raises ApiError. */
export const editState = (folder) => api.get(`datasets/${folder}/edit`);

/**
 * A line with a bar. `element.over` is a promise of its end, when `running()` says that it is not under way any more, or (without it)
 * when the server says so; `say(sentence)` is told of trouble.
 */
export function writingLine(folder, say, running = null) {
  const bar = progress(words.writing);
  const line = h("p", { role: "status" }, words.writing);
  const stop = button(words.stop, async () => {
    try {
      show(await api.post(`datasets/${folder}/edit/stop`));
    } catch (error) {
      say(error.message);
    }
  }, "small");
  const element = h("div", { class: "stack close writing" }, h("div", { class: "row" }, h("div", { class: "grow" }, line), stop), bar);
  const show = (state) => {
    bar.set({ done: state.done, total: state.total });
    stop.disabled = state.stopping;
    line.textContent = state.stopping ? words.stopping : state.total ? words.written(state.done, state.total) : words.writing;
  };
  const wait = () => new Promise((resolve) => setTimeout(resolve, EVERY));
  element.over = (async () => {
    for (;;) {
      await wait();
      if (running && !running()) return;
      try {
        const state = await editState(folder);
        if (state.running) show(state);
        else if (!running) return;
      } catch {
        // asked again in a moment; what is wrong is told by the edit itself
        if (!running) return;
      }
    }
  })();
  return element;
}

/** Show in `place` an edit that was begun before the page was loaded; `done()` when it has come to its end. */
export async function showWriting(folder, place, say, done) {
  const state = await editState(folder).catch(() => null);
  if (!state?.running) return;
  const line = writingLine(folder, say);
  fill(place, h("div", { class: "note" }, line));
  await line.over;
  line.parentElement?.remove();
  done();
}
