// From anywhere in the page into the panel of a tab: a cast.

import { open } from "./host.mjs";
import { ELEMENT, SEND } from "./ids.mjs";

const there = (tab) => document.querySelector(`${ELEMENT}[data-tab="${tab}"]`);

/** Whether there is a panel to send a cast to. */
export const canSendCast = (tab = "txt2img") => Boolean(there(tab));

/** Put a cast into a tab's panel, switch it on and show it. What the panel had can be brought back there by Undo. */
export function sendCast(tab, cast) {
  const detail = { tab, cast, taken: false };
  document.dispatchEvent(new CustomEvent(SEND, { detail }));
  if (detail.taken) open(tab);
  return detail.taken;
}
