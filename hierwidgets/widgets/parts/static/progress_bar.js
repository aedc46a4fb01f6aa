// The browser's own progress bar, with an accessible name and the count in words beside it.

function render({ model, el }) {
  el.classList.add("hw-progress");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", model.get("label"));
  const text = document.createElement("span");
  text.setAttribute("aria-hidden", "true"); // the bar says it, as its value text
  el.append(bar, text);

  const show = () => {
    const words = `${model.get("done")} of ${model.get("total")} ${model.get("unit")}`;
    bar.max = model.get("total");
    bar.value = model.get("done");
    bar.setAttribute("aria-valuetext", words);
    text.textContent = words;
  };
  const watched = "change:done change:total";
  model.on(watched, show);
  show();
  return () => model.off(watched, show);
}

export default { render };
