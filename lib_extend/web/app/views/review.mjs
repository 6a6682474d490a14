// View 20: Review
// "Review": the answers and separations a person should look at, the least certain first, decided by keys.

import { api, imageId, thumb } from "../api.mjs";
import { canSendCast, castOfPicture, sendCast } from "../cast/send.mjs";
import { texts as panelWords } from "../cast/texts.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { dialog } from "../parts/dialog.mjs";
import { diff } from "../parts/diff.mjs";
import { folderBar } from "../parts/folder_bar.mjs";
import { empty, loading, progress, trouble } from "../parts/states.mjs";
import { texts } from "../texts.mjs";
import { stage } from "./review/boxes.mjs";
import { editable, personsPanel } from "./review/persons.mjs";
import { questionCard } from "./review/question.mjs";
import { keyOf, Queue } from "./review/queue.mjs";
import { subject } from "./review/questions.mjs";

const words = texts.review;
const REMEMBERED = 50;
const LEVELS = [0.5, 0.8, 0.95, 1];

export function view(app) {
  const queue = new Queue();
  const picture = stage();
  const where = h("span", { class: "grow strong", role: "status" });
  const below = h(
    "select",
    { class: "sort", "aria-label": words.below },
    LEVELS.map((p) => h("option", { value: p, selected: p === app.session.get("below", 0.8) }, words.belowLevel(p))),
  );
  below.addEventListener("change", () => {
    app.session.set("below", Number(below.value));
    begin();
  });
  const question = questionCard({ act: (id) => void acts[id]?.(), correct: (answer) => decide("correct", answer) });
  const caption = h("div", { class: "stack close review-caption" });
  const panel = h("div");
  const editButton = button(words.editPersons, () => acts.edit(), "small", { hidden: true });
  const send = async () => {
    try {
      sendCast("txt2img", await castOfPicture({ folder: app.folder.id, image: item().name, config: app.config() }));
      app.say(panelWords.send.sent, "good");
    } catch (error) {
      app.say(error.message, "bad");
    }
  };
  const sendButton = button(panelWords.send.button, send, "small", { hidden: true, title: panelWords.send.hint });
  const back = button("‹", () => acts.previous(), "icon", { "aria-label": words.previous, title: words.previous });
  const next = button("›", () => acts.next(), "icon", { "aria-label": words.next, title: words.next });
  const undo = button(words.undo, () => void acts.undo(), "small", { disabled: true });
  const help = button("?", () => acts.help(), "icon", { "aria-label": words.keysTitle, title: words.keysTitle });
  const grid = h(
    "div",
    { class: "review-grid" },
    h("section", { class: "card review-picture" }, picture),
    h(
      "section",
      { class: "card stack wide review-side" },
      h("div", { class: "row nav" }, back, next, where, help),
      question,
      h("div", { class: "row review-tools" }, undo, editButton, sendButton, below),
      panel,
      caption,
    ),
  );
  const nothing = h("div");
  const work = h("div", { hidden: true }, nothing, grid);
  const element = h("div", { class: "stack wide review" }, folderBar(app, [words.first, words.firstHint]), work);

  let shown = "";
  let at = 0;
  let details = null; // of the picture that is shown
  let persons = []; // as they are drawn
  let editing = false;
  let canEdit = true;
  let begun = 0;
  let undoing = false;
  let history = []; // what was decided, to take it back

  const item = () => queue.items[at] ?? null;

  const begin = async () => {
    const mine = (begun += 1);
    grid.hidden = true;
    fill(nothing, loading(420));
    const kept = app.session.get("reviewed");
    history = kept?.folder === app.folder.id ? kept.history : [];
    at = 0;
    try {
      await queue.begin(app.folder.id, Number(below.value));
    } catch (error) {
      if (mine !== begun) return;
      // never tagged, no questions asked: that is no trouble, but nothing to do yet
      fill(nothing, error.status === 400 ? empty(words.nothingYet, error.message, button(words.toTag, () => app.openView("tag"))) : trouble(error.message, begin));
      return;
    }
    if (mine === begun) draw();
  };

  /** Remember what was decided: it can be taken back after a reload, too. */
  const remember = () => {
    history = history.slice(-REMEMBERED);
    app.session.set("reviewed", { folder: app.folder.id, history });
    undo.disabled = history.length === 0;
  };
  const bar = progress(words.looking);
  const drawLooking = () => {
    bar.set({ done: queue.done, total: queue.images });
    if (!bar.isConnected) fill(nothing, h("div", { class: "empty scanning" }, h("p", {}, words.looking), bar));
  };
  const draw = () => {
    const current = item();
    stopEditing();
    grid.hidden = !current;
    if (!current && !queue.complete) return drawLooking();
    if (!current) {
      const all = queue.items.length > 0;
      fill(
        nothing,
        empty(all ? words.done : words.none, all ? words.doneHint(queue.decided.size) : words.noneHint(Number(below.value)), h("div", { class: "row" }, history.length > 0 && button(words.undo, () => acts.undo()), all && button(words.backTo, () => acts.previous()), button(words.again, begin))),
      );
      nothing.append(h("div", { class: "row done-tools" }, below));
      return;
    }
    grid.querySelector(".review-tools").append(below);
    fill(nothing);
    drawWhere();
    picture.show(thumb(app.folder.id, current.name, 1280), current.name);
    details = null;
    question.show(current, app.questions, queue.decided.get(keyOf(current)), "");
    fill(caption, h("p", { class: "name strong wrap" }, current.name), h("div", { class: "skeleton", style: "height:60px" }));
    editButton.hidden = sendButton.hidden = true;
    look(current);
    queue.near(at);
    const ahead = queue.items[at + 1];
    if (ahead) {
      new Image().src = thumb(app.folder.id, ahead.name, 1280);
      queue.details(ahead.name).catch(() => {});
    }
  };
  const drawWhere = () => (where.textContent = `${texts.sample.of(at + 1, queue.total)}${queue.complete ? "" : "+"}`);
  const look = async (current) => {
    try {
      const found = await queue.details(current.name);
      if (item() !== current || editing) return;
      details = found;
    } catch (error) {
      if (item() === current) fill(caption, h("p", { class: "name strong wrap" }, current.name), trouble(error.message, () => look(current)));
      return;
    }
    persons = editable(details.persons);
    const { person } = subject(current);
    picture.mark(persons, details.w, details.h, person);
    question.show(current, app.questions, queue.decided.get(keyOf(current)), persons[person - 1]?.letter ?? "");
    editButton.hidden = !canEdit || (persons.length === 0 && current.question !== "persons");
    sendButton.hidden = persons.length === 0 || !canSendCast();
    drawCaption(details.caption);
  };
  const drawCaption = (text, before = null) =>
    fill(caption, h("p", { class: "name strong wrap" }, item().name), before !== null && before !== text ? diff(before, text) : h("p", { class: "diff" }, text || texts.sample.noCaption));

  const decide = (verdict, answer = "") => {
    const current = item();
    if (!current || editing) return;
    history.push({ kind: "verdict", item: current, before: queue.decided.get(keyOf(current)) ?? null });
    remember();
    queue.decide(current, verdict, answer);
    acts.next();
  };
  queue.addEventListener("sent", ({ detail }) => {
    if (item()?.name === detail.item.name && !editing) look(item());
  });
  queue.addEventListener("failed", ({ detail }) => {
    history = history.filter((entry) => entry.item !== detail.item);
    remember();
    app.say(`${detail.item.name}: ${detail.error.message}`, "bad");
  });
  queue.addEventListener("items", () => {
    if (grid.hidden) draw(); // it waited for what comes
    else if (item()) drawWhere();
  });

  // persons

  /** Whether another picture may be chosen: not while this one's persons are changed. */
  const mayGo = (may) => {
    back.disabled = !may || at === 0;
    next.disabled = below.disabled = !may;
    undo.disabled = !may || history.length === 0;
  };
  const stopEditing = () => {
    editing = false;
    mayGo(true);
    fill(panel);
    picture.edit(null);
    question.hidden = false;
    caption.hidden = false;
  };
  const startEditing = () => {
    if (!details?.w || !canEdit || editing) return;
    editing = true;
    mayGo(false);
    editButton.hidden = sendButton.hidden = true;
    question.hidden = true;
    caption.hidden = true;
    const letters = [...new Set([...(app.value("letters") ?? []), ...persons.map((p) => p.letter)])].filter(Boolean);
    const size = [details.w, details.h];
    picture.edit(() => {});
    picture.mark(persons, ...size);
    fill(panel, personsPanel(persons, { letters, size, redraw: () => picture.mark(persons, ...size), save: savePersons, cancel, folder: () => app.folder?.id ?? "" }));
    (panel.querySelector(".drag") ?? panel.querySelector("button")).focus({ preventScroll: true });
  };
  const cancel = () => {
    stopEditing();
    look(item());
    question.focusFirst();
  };
  const savePersons = async () => {
    const current = item();
    // what stood before: the models' own come back by an empty list
    const before = details.persons.some((p) => p.locked) ? editable(details.persons) : [];
    try {
      await queue.persons(current, persons);
    } catch (error) {
      if (error.status === 501) {
        canEdit = false;
        cancel();
      }
      app.say(error.message, "bad");
      return;
    }
    history.push({ kind: "persons", item: current, before });
    remember();
    if (current.question === "persons") queue.decided.set(keyOf(current), { verdict: "correct", answer: "" });
    app.say(words.personsSaved, "good");
    if (item() !== current) return;
    stopEditing();
    if (current.question === "persons") acts.next();
    else look(current);
  };

  /** Wait for what is being written, take something of an item back and show it; whether that went well. */
  const takeBack = async (of, work) => {
    undoing = undo.disabled = true;
    try {
      await queue.settled;
      await work();
    } catch (error) {
      app.say(error.message, "bad");
      return false;
    } finally {
      undoing = false;
      undo.disabled = history.length === 0;
    }
    at = queue.insert(of, at);
    draw();
    return true;
  };

  const acts = {
    accept: () => decide("accept"),
    reject: () => item()?.question !== "persons" && decide("reject"),
    lock: () => item()?.question !== "persons" && decide("lock"),
    correct: () => (item()?.question === "persons" ? startEditing() : question.choose()),
    edit: startEditing,
    next: () => {
      if (at < queue.items.length) at += 1;
      draw();
    },
    previous: () => {
      if (at > 0) at -= 1;
      draw();
    },
    leaveOut: async () => {
      const current = item();
      if (undoing || editing || !current) return;
      try {
        await queue.settled;
        await api.post(`datasets/${app.folder.id}/left-out`, { ids: [imageId(current.name)] });
      } catch (error) {
        return void app.say(error.message, "bad");
      }
      history.push({ kind: "left_out", item: current });
      remember();
      app.say(words.wasLeftOut(current.name), "good");
      while (item()?.name === current.name) at += 1;
      draw();
    },
    withdraw: async () => {
      const current = item();
      if (undoing || editing || !current || !queue.decided.has(keyOf(current))) return;
      await takeBack(current, () => queue.withdraw(current));
    },
    undo: async () => {
      const last = history.at(-1);
      if (undoing || !last) return;
      history.pop();
      const done = await takeBack(last.item, async () => {
        if (last.kind === "left_out") await api.post(`datasets/${app.folder.id}/left-out`, { ids: [imageId(last.item.name)], back: true });
        else if (last.kind === "persons") await queue.persons(last.item, last.before);
        else if (last.before) await queue.decide(last.item, last.before.verdict, last.before.answer);
        else await queue.withdraw(last.item);
        if (last.kind === "persons") queue.decided.delete(keyOf(last.item));
      });
      if (!done) history.push(last);
      remember();
    },
    help: () => {
      dialog(app.place, words.keysTitle, h("dl", { class: "facts" }, words.keys.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])));
    },
  };
  const KEYS = { a: "accept", c: "correct", r: "reject", l: "lock", j: "next", ArrowRight: "next", k: "previous", ArrowLeft: "previous", z: "undo", w: "withdraw", p: "edit", x: "leaveOut", "?": "help" };
  const key = (event) => {
    if (work.hidden || !element.isConnected || element.offsetParent === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const from = event.composedPath()[0];
    const typing = from.matches?.("input, textarea, select");
    if (app.place.querySelector("dialog[open]") || (typing && !(editing && event.key === "Escape"))) return;
    if (!app.place.host.contains(event.target) && event.target !== document.body) return;
    if (editing) {
      if (event.key !== "Escape") return;
      cancel();
    } else if (from.closest?.("[role=tablist]") && event.key.startsWith("Arrow")) return;
    else if (!question.key(event) && !KEYS[event.key]) return;
    else if (!event.defaultPrevented) acts[KEYS[event.key]]?.();
    event.preventDefault();
    event.stopPropagation();
  };

  const drawFolder = () => {
    const folder = app.folder;
    work.hidden = !folder || folder.images === 0;
    if (app.opening || !element.isConnected || work.hidden) return;
    if (folder.id !== shown || !item()) {
      shown = folder.id;
      begin();
    }
  };
  app.on("folder", drawFolder);
  app.on("written", () => (shown = ""));
  return {
    element,
    show: () => {
      document.addEventListener("keydown", key);
      drawFolder();
    },
    hide: () => document.removeEventListener("keydown", key),
  };
}
