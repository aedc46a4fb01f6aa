// A live region that stays in the page while its text changes. It also gives the pictures beside
// it their text alternatives (bqplot has none), and the controls beside it their keys: in command
// mode JupyterLab takes arrow keys away from a focused control unless that carries an attribute.

function keepKeys(event) {
  event.target.dataset.lmSuppressShortcuts = "true";
}

function render({ model, el }) {
  const line = document.createElement("div");
  line.className = "hw-status";
  line.setAttribute("role", "status");
  el.append(line);

  const show = () => {
    line.textContent = model.get("text");
    line.classList.toggle("hw-problem", model.get("problem"));
  };
  const describe = () => {
    const instrument = el.closest(".hw-instrument");
    instrument?.addEventListener("focusin", keepKeys); // the same listener is added only once
    let waiting = instrument === null;
    for (const [name, text] of Object.entries(model.get("pictures"))) {
      const picture = instrument?.querySelector(`.${name}`);
      if (!picture) waiting = true;
      picture?.setAttribute("role", "img");
      picture?.setAttribute("aria-label", text);
    }
    if (waiting && alive) setTimeout(describe, 100); // the figures are drawn after this line
  };

  let alive = true;
  model.on("change:text change:problem", show);
  model.on("change:pictures", describe);
  show();
  describe();
  return () => {
    alive = false;
    model.off("change:text change:problem", show);
    model.off("change:pictures", describe);
  };
}

export default { render };
