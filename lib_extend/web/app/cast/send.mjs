// From anywhere in the page into the panel of a tab: a cast.

import { api } from "../api.mjs";
import { open } from "./host.mjs";
import { ELEMENT, SEND } from "./ids.mjs";

const there = (tab) => document.querySelector(`${ELEMENT}[data-tab="${tab}"]`);

/** Whether there is a panel to send a cast to. */
export const canSendCast = (tab = "txt2img") => Boolean(there(tab));

/** The cast of a picture: of a file in a form with `image`, or of {folder, image}. Raises ApiError. */
export async function castOfPicture(source, signal) {
  const answer = source instanceof FormData ? await api.upload("cast/from-picture", source, signal) : await api.post("cast/from-picture", source, signal);
  return answer.cast ?? answer;
}

/** Put a cast into a tab's panel, switch it on and show it. What the panel had can be brought back there by Undo. */
export function sendCast(tab, cast) {
  const detail = { tab, cast, taken: false };
  document.dispatchEvent(new CustomEvent(SEND, { detail }));
  if (detail.taken) open(tab);
  return detail.taken;
}
