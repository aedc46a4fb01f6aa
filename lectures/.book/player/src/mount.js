// One instrument put in the place of its still.

import { Kernel } from "./kernel.js";
import { Manager } from "./manager.js";
import { load } from "./recording.js";
import "./sheets.js";

export async function mount(figure, url, live) {
  const recording = await load(url);
  const kernel = new Kernel(recording);
  const manager = new Manager(kernel);
  await manager.restore(recording.header.state);
  const place = document.createElement("div");
  place.className = "recorded-live jupyter-widgets-view";
  place.classList.add("recorded-loading"); // until it is whole, the still stays
  const stills = [...figure.children].filter((one) => one.localName !== "figcaption");
  figure.insertBefore(place, figure.querySelector(":scope > figcaption"));
  await manager.show(recording.header.root, place);
  await drawn(place);
  await keep(manager, recording.header);
  const caption = figure.querySelector(":scope > figcaption"); // which speaks of the still
  figure.insertBefore(said(recording.header, live ?? caption?.querySelector("a")?.href), place);
  for (const still of [...stills, caption]) if (still) still.hidden = true;
  place.classList.remove("recorded-loading");
  figure.dataset.recorded = "plays";
  figure.recorded = { kernel, manager };
}

// "Recorded: σ and μ. For everything else run it live."
function said({ axes }, live) {
  const names = axes.map((axis) => axis.name);
  const last = names.pop();
  const all = names.length ? `${names.join(", ")} and ${last}` : last;
  const note = document.createElement("p");
  note.className = "recorded-note";
  note.append(`Recorded: ${all}. For everything else, `);
  if (live) {
    note.append(Object.assign(document.createElement("a"), { href: live, textContent: "run it live" }));
  } else note.append("run it live");
  note.append(".");
  return note;
}

// bqplot draws once the page has laid it out.
async function drawn(place) {
  for (let turn = 0; turn < 100; turn += 1) {
    const figures = [...place.querySelectorAll(".bqplot")];
    const seen = figures.filter((one) => one.getClientRects().length);
    if (seen.every((one) => one.querySelector(".plotarea_background"))
      && place.querySelector(".hw-status")) return;
    await new Promise((go) => setTimeout(go, 20));
  }
}

// What is not recorded cannot be moved, and says so; what opens and closes by itself goes on.
async function keep(manager, { axes, buttons, table }) {
  const recorded = new Set([...axes, ...buttons].map((one) => one.model));
  for (const [id, promise] of Object.entries(manager._models)) {
    if (recorded.has(id) || id === table) continue;
    const model = await promise;
    if (!LEAF.test(model.name)) continue;
    for (const view of Object.values(model.views ?? {})) disable((await view).el);
  }
}

const LEAF = /^(DropdownModel|CheckboxModel|ButtonModel|AnyModel)$/;

function disable(place) {
  const inside = [...place.querySelectorAll("input, select, button, textarea")];
  const all = place.matches("button") ? [place, ...inside] : inside;
  for (const control of all) {
    control.disabled = true;
    control.title = "Not recorded: run it live";
    control.setAttribute("aria-description", "not recorded: run it live");
  }
  if (all.length) place.classList.add("recorded-not");
}
