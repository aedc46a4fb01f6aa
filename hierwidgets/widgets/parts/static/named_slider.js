// A native range input with its label and a number box: a slider with an accessible name,
// which the slider of ipywidgets does not have.

function render({ model, el }) {
  el.classList.add("hw-slider");
  const name = model.get("label");
  const caption = Object.assign(document.createElement("span"), { textContent: name });
  caption.setAttribute("aria-hidden", "true");
  const range = Object.assign(document.createElement("input"), { type: "range", min: 0 });
  range.setAttribute("aria-label", name);
  const box = Object.assign(document.createElement("input"), { type: "number", step: "any" });
  box.setAttribute("aria-label", `${name}, typed`);
  const problem = document.createElement("span");
  problem.className = "hw-rejected";
  el.append(caption, range, box);

  const limits = () => [model.get("min"), model.get("max"), model.get("steps")];
  const toPosition = (value) => {
    const [min, max, steps] = limits();
    const share = model.get("log")
      ? Math.log(value / min) / Math.log(max / min)
      : (value - min) / (max - min);
    return Math.round(steps * share);
  };
  const toValue = (position) => {
    const [min, max, steps] = limits();
    if (position <= 0) return min;
    if (position >= steps) return max;
    const share = position / steps;
    const value = model.get("log") ? min * (max / min) ** share : min + (max - min) * share;
    return Number(value.toFixed(model.get("digits")));
  };
  const show = () => {
    const text = model.get("value").toFixed(model.get("digits"));
    range.max = model.get("steps");
    range.value = toPosition(model.get("value"));
    range.setAttribute("aria-valuetext", text);
    box.value = text;
    problem.remove();
    box.removeAttribute("aria-invalid");
  };
  const send = (value) => {
    model.set("value", value);
    model.save_changes();
  };

  range.addEventListener("input", () => send(toValue(Number(range.value))));
  const accept = () => {
    const [min, max] = limits();
    const value = box.valueAsNumber;
    if (value >= min && value <= max) {
      show();
      return send(value);
    }
    problem.textContent = `${name}: a number from ${min} to ${max}, please`;
    problem.setAttribute("role", "alert"); // put in anew each time, so that it is read out
    box.setAttribute("aria-invalid", "true");
    el.append(problem);
  };
  box.addEventListener("change", accept);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") accept(); // JupyterLab keeps this key from making a change event
  });
  const watched = "change:value change:min change:max change:steps";
  model.on(watched, show);
  show();
  return () => model.off(watched, show);
}

export default { render };
