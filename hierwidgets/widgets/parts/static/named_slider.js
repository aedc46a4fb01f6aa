// A native range input with its label and a number box: a slider with an accessible name,
// which the slider of ipywidgets does not have.

function render({ model, el }) {
  el.classList.add("hw-slider");
  const caption = document.createElement("span");
  caption.setAttribute("aria-hidden", "true");
  const range = Object.assign(document.createElement("input"), { type: "range", min: 0 });

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
  const send = (value) => {
    model.set("mover", globalThis.hwPage); // so that this page can tell its own moves from others'
    model.set("value", value);
    model.save_changes();
  };

  const whole = () => model.get("digits") === 0;
  const accept = () => {
    const [min, max] = limits();
    const typed = readNumber(box.value, whole());
    const value = whole() ? Math.round(typed) : typed;
    if (value >= min && value <= max) {
      show();
      return send(value);
    }
    const [low, high] = [min, max].map((limit) => Number(limit.toPrecision(4)));
    refuse(box, problem, `${model.get("label")}: a number from ${low} to ${high}, please`, el);
  };
  const step = (way) => send(toValue(toPosition(model.get("value")) + way));
  const box = typedBox("", whole(), accept, step);
  const problem = document.createElement("span");
  el.append(caption, range, box);

  let shown = "";
  const state = () => JSON.stringify([model.get("value").toFixed(model.get("digits")), limits()]);
  const show = () => {
    const [min, max, steps] = limits();
    const text = model.get("value").toFixed(model.get("digits"));
    shown = state();
    range.max = steps;
    range.value = toPosition(model.get("value"));
    range.setAttribute("aria-valuetext", text);
    showTyped(box, text, min, max);
    problem.remove();
  };
  const rename = () => {
    const name = model.get("label");
    caption.textContent = name;
    range.setAttribute("aria-label", name);
    box.setAttribute("aria-label", `${name}, typed`);
  };
  range.addEventListener("input", () => send(toValue(Number(range.value))));
  // An answer to an earlier number, come late, does not take away the refusal of a later one.
  const follow = () => {
    if (!problem.isConnected || state() !== shown) show();
  };
  const watched = "change:value change:min change:max change:steps";
  model.on(watched, follow);
  model.on("change:label", rename);
  rename();
  show();
  return () => {
    model.off(watched, follow);
    model.off("change:label", rename);
  };
}

globalThis.hwPage ??= crypto.randomUUID?.() ?? String(Math.random());

export default { render };
