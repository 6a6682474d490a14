// What a pointer does in the region editor: draw a new box, drag one, drag its edges. Mouse, pen and finger are the same.

import { drawn, isWhole, lines, moved, resized, snap } from "./places.mjs";
import { MOST } from "./state.mjs";

const REACH = 8; // pixels within which an edge snaps
const FREE = 4; // pixels a pointer may tremble before it means a drag

/**
 * Let pointers act on the boxes in `canvas`. `guide([x, y])` shows the lines an edge has snapped to (null: none),
 * `drawn()` and `say(at)` are told of what was done. Alt keeps edges from snapping.
 */
export function gestures(canvas, boxes, store, { guide, drawn: whenDrawn, say }) {
  const point = (event) => {
    const frame = boxes.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
  };
  const reach = (event) => {
    const frame = boxes.getBoundingClientRect();
    return event.altKey ? [-1, -1] : [REACH / frame.width, REACH / frame.height];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary || event.target.closest(".cover")) return;
    const box = event.target.closest(".box");
    const edges = event.target.closest(".handle")?.dataset.edges ?? "";
    const at = box ? Number(box.dataset.at) : -1;
    const room = store.state.characters.length < MOST;
    // a box over everything cannot be moved: what is dragged in it is a new one
    const draws = room && !edges && (canvas.hasAttribute("data-draw") || at < 0 || isWhole(store.boxes[at]));
    if (at >= 0 && !canvas.hasAttribute("data-draw")) box.focus({ preventScroll: true });
    event.preventDefault();
    if (draws) follow(event, sketching(event));
    else if (at >= 0) follow(event, dragging(event, at, edges));
  });

  /** Hand every move to `acts.move`, from the moment the pointer means it; then to `acts.end`, or `acts.cancel`. */
  const follow = (start, acts) => {
    let begun = false;
    const move = (event) => {
      if (event.pointerId !== start.pointerId) return;
      if (!begun && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < FREE) return;
      if (!begun) acts.begin?.();
      begun = true;
      acts.move(event);
    };
    const end = (event) => {
      if (event.pointerId !== start.pointerId) return;
      for (const [type, listener] of listeners) canvas.removeEventListener(type, listener);
      canvas.ownerDocument.removeEventListener("keydown", escape, true);
      guide([null, null]);
      if (event.type === "pointerup" && begun) acts.end(event);
      else acts.cancel?.();
    };
    const escape = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      end({ type: "escape", pointerId: start.pointerId });
    };
    const listeners = [["pointermove", move], ["pointerup", end], ["pointercancel", end], ["lostpointercapture", end]];
    for (const [type, listener] of listeners) canvas.addEventListener(type, listener);
    canvas.ownerDocument.addEventListener("keydown", escape, true);
    try {
      canvas.setPointerCapture(start.pointerId);
    } catch {
      // the pointer is gone already
    }
  };

  const dragging = (start, at, edges) => {
    const before = store.boxes[at];
    const from = point(start);
    const marks = lines(store.boxes.filter((_, n) => n !== at));
    const place = (event) => {
      const to = point(event);
      const by = [to[0] - from[0], to[1] - from[1]];
      const act = (dx, dy) => (edges ? resized(before, edges, dx, dy) : moved(before, dx, dy));
      const [dx, dy, met] = snap(act(...by), marks, reach(event), edges || "nsew");
      guide(met);
      return act(by[0] + dx, by[1] + dy);
    };
    return {
      begin: () => store.keep(),
      move: (event) => store.character(at, { box: place(event) }, { live: true }),
      end: (event) => {
        store.character(at, { box: place(event) });
        say(at);
        guide([null, null]);
      },
      cancel: () => store.character(at, { box: before }),
    };
  };

  const sketching = (start) => {
    const from = point(start);
    const marks = lines(store.boxes);
    const ghost = document.createElement("div");
    ghost.className = "ghost";
    const place = (event) => {
      const to = point(event);
      const box = drawn(from, to);
      if (!box) return null;
      const edges = (to[0] < from[0] ? "w" : "e") + (to[1] < from[1] ? "n" : "s");
      const near = (edge) => snap(box, marks, reach(event), edge);
      // the corner it was begun at snaps, too
      const [dx, dy, met] = near(edges);
      const [bx, by] = near((to[0] < from[0] ? "e" : "w") + (to[1] < from[1] ? "s" : "n"));
      guide(met);
      return drawn([from[0] + bx, from[1] + by], [to[0] + dx, to[1] + dy]);
    };
    return {
      begin: () => boxes.after(ghost),
      move: (event) => {
        const box = place(event);
        ghost.hidden = !box;
        if (!box) return;
        ghost.style.inset = `${100 * box[1]}% ${100 * (1 - box[2])}% ${100 * (1 - box[3])}% ${100 * box[0]}%`;
      },
      end: (event) => {
        ghost.remove();
        const box = place(event);
        guide([null, null]);
        if (!box) return;
        const at = store.add(box);
        whenDrawn(at);
        if (at >= 0) boxes.children[at]?.focus({ preventScroll: true });
      },
      cancel: () => ghost.remove(),
    };
  };
}
