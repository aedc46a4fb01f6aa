// A labelled box for a number that may also be left empty.

function render({ model, el }) {
  el.classList.add("hw-number");
  const name = model.get("label");
  const [min, max, whole] = [model.get("min"), model.get("max"), model.get("whole")];
  const send = (value) => {
    show(value);
    model.set("value", value);
    model.save_changes();
  };
  const accept = () => {
    if (box.value.trim() === "") return send(null);
    const value = readNumber(box.value, whole);
    const fits = value >= min && value <= max && (!whole || Number.isInteger(value));
    if (fits) return send(value);
    const kind = whole ? "a whole number" : "a number";
    refuse(box, problem, `${name}: ${kind} from ${min} to ${max}, please`, el);
  };
  const step = (way) => {
    const value = model.get("value");
    send(value === null ? min : Math.min(Math.max(value + way, min), max));
  };
  const box = typedBox(name, whole, accept, step);
  const problem = document.createElement("span");
  const label = document.createElement("label");
  label.append(Object.assign(document.createElement("span"), { textContent: name }), box);
  el.append(label);

  const show = (value) => {
    showTyped(box, value === null ? "" : String(value), min, max);
    problem.remove();
  };
  const showValue = () => show(model.get("value") ?? null);
  model.on("change:value", showValue);
  showValue();
  return () => model.off("change:value", showValue);
}

export default { render };
