// A labelled box for a number that may also be left empty.

function render({ model, el }) {
  el.classList.add("hw-number");
  const name = model.get("label");
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), {
    type: "number", min: model.get("min"), step: model.get("whole") ? 1 : "any",
  });
  label.append(Object.assign(document.createElement("span"), { textContent: name }), box);
  const problem = document.createElement("span");
  problem.className = "hw-rejected";
  el.append(label);

  const accepted = () => {
    problem.remove();
    box.removeAttribute("aria-invalid");
  };
  const show = () => {
    box.value = model.get("value") ?? "";
    accepted();
  };
  const send = (value) => {
    accepted();
    model.set("value", value);
    model.save_changes();
  };
  const accept = () => {
    const [min, max, whole] = [model.get("min"), model.get("max"), model.get("whole")];
    const value = box.valueAsNumber;
    if (box.value === "" && !box.validity.badInput) return send(null);
    if (value >= min && value <= max && (!whole || Number.isInteger(value))) return send(value);
    const kind = whole ? "a whole number" : "a number";
    problem.textContent = `${name}: ${kind} from ${min} to ${max}, please`;
    problem.setAttribute("role", "alert"); // put in anew each time, so that it is read out
    box.setAttribute("aria-invalid", "true");
    el.append(problem);
  };
  box.addEventListener("change", accept);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") accept(); // JupyterLab keeps this key from making a change event
  });
  model.on("change:value", show);
  show();
  return () => model.off("change:value", show);
}

export default { render };
