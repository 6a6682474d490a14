// Taking a run back from where it was done.

import { api } from "../../api.mjs";
import { texts } from "../../texts.mjs";
import { Tracker } from "../tag/tracker.mjs";

/** Take `run` back and say how it went; a promise of whether it was taken back. */
export async function undoRun(app, run) {
  try {
    const { id } = await api.post("jobs", { folder: app.folder.id, kind: "undo", run, config: {} });
    const tracker = new Tracker(id);
    const end = await tracker.watch();
    if (tracker.info?.error) throw new Error(tracker.info.error);
    if (tracker.failures.length) app.say(`${texts.undo.failed(tracker.failures.length)} ${tracker.failures[0].reason}`, "bad");
    else app.say(texts.undo.done(end?.written ?? 0), "good");
    return true;
  } catch (error) {
    app.say(error.message, "bad");
    return false;
  }
}
