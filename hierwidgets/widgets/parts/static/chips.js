// Buttons that open and close a text each. A button says whether its text is open, which the
// toggle button of ipywidgets does not.

function render({ model, el }) {
  const row = document.createElement("div");
  row.className = "hw-chips";
  row.setAttribute("role", "group");
  const list = document.createElement("div");
  el.append(row, list);

  const build = () => {
    row.setAttribute("aria-label", model.get("label"));
    const names = model.get("names");
    row.hidden = names.length === 0;
    row.replaceChildren(...names.map((name, i) => {
      const chip = Object.assign(document.createElement("button"), { textContent: name });
      chip.addEventListener("click", () => {
        const opened = model.get("opened");
        const others = opened.filter((other) => other !== i);
        model.set("opened", others.length < opened.length ? others : [...others, i].sort());
        model.save_changes();
      });
      return chip;
    }));
    show();
  };
  const show = () => {
    const [opened, texts] = [model.get("opened"), model.get("texts")];
    [...row.children].forEach((chip, i) => chip.setAttribute("aria-expanded", opened.includes(i)));
    list.replaceChildren(...opened.filter((i) => i < texts.length).map((i) =>
      Object.assign(document.createElement("p"), { className: "hw-reason", textContent: texts[i] }),
    ));
  };

  model.on("change:names change:label", build);
  model.on("change:opened change:texts", show);
  build();
  return () => {
    model.off("change:names change:label", build);
    model.off("change:opened change:texts", show);
  };
}

export default { render };
