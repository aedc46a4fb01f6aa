// A live region that stays in the page while its text changes, and the text alternatives
// of the pictures beside it (bqplot gives its figures none).

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
    let waiting = instrument === null;
    for (const [name, text] of Object.entries(model.get("pictures"))) {
      const [picture, ...layers] = instrument?.querySelectorAll(`.${name} svg`) ?? [];
      if (!picture) waiting = true;
      picture?.setAttribute("role", "img");
      picture?.setAttribute("aria-label", text);
      for (const layer of layers) layer.setAttribute("aria-hidden", "true");
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
