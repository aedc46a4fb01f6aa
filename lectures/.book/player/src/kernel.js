// What answers the widgets in a kernel's place: comms as Jupyter has them, with a recording behind.

export class Kernel {
  constructor(recording) {
    this.recording = recording;
    this.axes = recording.header.axes;
    this.place = this.axes.map((axis) => axis.start);
    this.comms = new Map();
    this.frames = 0;
    this.last = "";
  }

  comm(id) {
    const comm = new Comm(id, (data) => this.take(id, data));
    this.comms.set(id, comm);
    return comm;
  }

  // A message of a widget: a control has moved, a button was pressed, or the status line asks.
  take(id, data) {
    if (data.method === "update") return this.move(id, data.state);
    if (data.method !== "custom") return;
    if (data.content.event === "click") return this.press(id);
    if ("frames" in data.content) this.comms.get(id).tell({ answer: data.content.text });
  }

  move(id, state) {
    const axis = this.axes.findIndex((one) => one.model === id && one.trait in state);
    if (axis < 0) return;
    const wanted = state[this.axes[axis].trait];
    const at = closest(this.axes[axis].values, wanted);
    this.go(this.place.with(axis, at), axis, wanted);
  }

  press(id) {
    const button = this.recording.header.buttons.find((one) => one.model === id);
    if (!button) return;
    this.go(this.axes.map((axis, i) => button.to[axis.name] ?? this.place[i]));
  }

  // To a place; the control that was moved there knows its own value already.
  go(place, mover = -1, said = undefined) {
    this.place = this.ordered(place, mover);
    const states = this.recording.frame(this.place);
    this.axes.forEach((axis, i) => {
      const value = axis.values[this.place[i]];
      if (i === mover && value === said) return;
      states[axis.model] ??= {};
      states[axis.model][axis.trait] = value;
    });
    this.show(states);
  }

  // One of two sliders takes the other along: they stay in their order.
  ordered(place, mover) {
    const { ordered, apart } = this.recording.header;
    if (!ordered) return place;
    const [low, high] = ordered.map((name) => this.axes.findIndex((one) => one.name === name));
    if (place[low] + apart <= place[high]) return place;
    const most = this.axes[high].values.length - 1;
    if (mover === high) {
      const at = Math.max(place[high], apart);
      return place.with(high, at).with(low, at - apart);
    }
    const at = Math.min(place[low], most - apart);
    return place.with(low, at).with(high, at + apart);
  }

  // As the kernel does it: one message to the status line, which unpacks it for all.
  show(states) {
    const changed = Object.entries(states);
    this.frames += 1;
    const { status } = this.recording.header;
    const all = Object.fromEntries(changed.map(([id, state]) => [id, { ...state }]));
    all[status] = { ...all[status], frames: this.frames };
    this.comms.get(status).tell({ states: all, buffer_paths: [], frames: this.frames });
  }
}

class Comm {
  constructor(id, take) {
    this.comm_id = id;
    this.target_name = "jupyter.widget";
    this.take = take;
  }

  send(data, callbacks) {
    queueMicrotask(() => {
      callbacks?.iopub?.status?.({ content: { execution_state: "idle" } });
    });
    this.take(data);
    return "";
  }

  tell(content) {
    this.hear?.({ content: { data: { method: "custom", content } }, buffers: [] });
  }

  on_msg(hear) { this.hear = hear; }
  on_close() {}
  open() { return ""; }
  close() { return ""; }
}

function closest(values, wanted) {
  const text = JSON.stringify(wanted);
  const same = values.findIndex((value) => JSON.stringify(value) === text);
  if (same >= 0 || typeof wanted !== "number") return Math.max(same, 0);
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = i;
  });
  return best;
}
