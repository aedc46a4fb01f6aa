// A live region that stays in the page while its text changes. It also gives the pictures beside
// it their text alternatives (bqplot has none), and the controls beside it their keys: in command
// mode JupyterLab takes arrow keys away from a focused control unless that carries an attribute.

const STOPPED = "The kernel behind this has stopped or was restarted. Run the cells above again, "
  + "then this one.";

function keepKeys(event) {
  event.target.dataset.lmSuppressShortcuts = "true";
}

// Its parts say nothing by themselves: they are hidden from those who do not see them.
function describePicture(picture, text) {
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", text);
  for (const part of picture.children) part.setAttribute("aria-hidden", "true");
}

// Where in a plot a click was, as shares of its width from the left and its height from below.
function tellPlace(event, model) {
  const name = model.get("clickable").find((each) => event.target.closest?.(`.${each}`));
  const plot = name && event.target.closest(`.${name}`).querySelector(".plotarea_background");
  if (!plot) return;
  const box = plot.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height];
  if (x >= 0 && x <= 1 && y >= 0 && y <= 1) tell(model, { place: name, x, y });
}

function putBuffers(states, paths, buffers) {
  paths.forEach((path, i) => {
    const last = path[path.length - 1];
    const holder = path.slice(0, -1).reduce((value, key) => value[key], states);
    const data = buffers[i];
    holder[last] = data instanceof DataView ? data : new DataView(data.buffer ?? data);
  });
}

// A slider that this page has moved stands further on than a state from before or during the move.
function isOwn(model, mover) {
  const page = globalThis.hwPage;
  return mover === page || (mover === "" && model.get("mover") === page);
}

// All models first, then all states, then all changes without a pause: one frame shows them.
async function unpack(manager, { states, buffer_paths }, buffers) {
  putBuffers(states, buffer_paths, buffers);
  const ids = Object.keys(states).filter((id) => manager.has_model(id));
  const models = await Promise.all(ids.map((id) => manager.get_model(id)));
  const values = await Promise.all(
    models.map((each, i) => each.constructor._deserialize_state(states[ids[i]], manager)),
  );
  models.forEach((each, i) => {
    if (isOwn(each, values[i].mover)) {
      delete values[i].value;
      delete values[i].mover;
    }
    each.set_state(values[i]);
  });
}

// The kernel may have gone since: then nobody is left to be told.
function tell(model, content) {
  try {
    model.send(content);
    return true;
  } catch {
    return false;
  }
}

// Either message may be lost while a busy page loads, so it asks until the answer agrees.
function askUntilAnswered(model) {
  let [wait, timer] = [500, null];
  const ask = () => {
    const state = { frames: model.get("frames"), text: model.get("text"), page: globalThis.hwPage };
    timer = tell(model, state) && wait < 60_000 ? setTimeout(ask, wait) : null;
    wait *= 2;
  };
  model.on("msg:custom", ({ answer }) => {
    if (answer === model.get("text")) clearTimeout(timer);
  });
  ask();
}

function initialize({ model }) {
  let last = Promise.resolve(); // frames are shown in the order in which they were sent
  model.on("msg:custom", (message, buffers) => {
    if (!message.states) return;
    const seen = model.get("frames");
    last = last.then(() => unpack(model.widget_manager, message, buffers)).catch(console.error);
    // A message was lost on the way: every state is asked for again.
    const gap = { frames: seen, page: globalThis.hwPage };
    if (message.frames > seen + 1) last.then(() => tell(model, gap));
  });
  askUntilAnswered(model);
}

function render({ model, el }) {
  const line = document.createElement("div");
  line.className = "hw-status";
  line.setAttribute("role", "status");
  el.append(line);

  const show = () => {
    const alone = el.closest(".jupyter-widgets-disconnected") !== null;
    line.textContent = alone ? STOPPED : model.get("text");
    line.classList.toggle("hw-problem", alone || model.get("problem"));
  };
  const showSoon = () => setTimeout(show); // after the page has marked what lost its kernel
  const click = (event) => tellPlace(event, model);
  const describe = () => {
    const instrument = el.closest(".hw-instrument");
    if (instrument && !met) meet(instrument);
    instrument?.addEventListener("focusin", keepKeys); // the same listener is added only once
    instrument?.addEventListener("click", click);
    let waiting = instrument === null;
    for (const [name, text] of Object.entries(model.get("pictures"))) {
      const picture = instrument?.querySelector(`.${name}`);
      if (!picture) waiting = true;
      else if (picture.ariaLabel !== text) describePicture(picture, text);
      if (picture && !watchNames(picture)) waiting = true;
    }
    if (waiting && alive) setTimeout(describe, 100); // the figures are drawn after this line
  };

  // What never had a kernel behind it would answer nothing: its still is shown in its place.
  let met = false;
  const meet = (instrument) => {
    met = true;
    instrument.classList.toggle("hw-lifeless", instrument.matches(".jupyter-widgets-disconnected"));
  };

  let alive = true;
  model.on("change:text change:problem", show);
  model.on("comm_live_update", showSoon);
  model.on("change:pictures", describe);
  show();
  describe();
  return () => {
    alive = false;
    model.off("change:text change:problem", show);
    model.off("comm_live_update", showSoon);
    model.off("change:pictures", describe);
  };
}

globalThis.hwPage ??= crypto.randomUUID?.() ?? String(Math.random());

export default { initialize, render };
