// A recording, unpacked, and what it says at any place: hierwidgets/widgets/recording/replay.py
// does the same, and tests hold the two together.

const NEAREST = 6; // recorded positions that a number between them rests on

export async function load(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const plain = answer.body.pipeThrough(new DecompressionStream("gzip"));
  return new Recording(new Uint8Array(await new Response(plain).arrayBuffer()));
}

export class Recording {
  constructor(bytes) {
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    this.header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
    this.axes = this.header.axes;
    let at = 4 + size;
    this.series = this.header.series.map((one) => {
      const shape = one.over.map((a) => this.axes[a][one.whole ? "values" : "nodes"].length);
      if (one.wide) shape.push(one.wide);
      const values = numbers(bytes, at, at + one.size, shape);
      for (const axis of [...one.order].reverse()) sum(values, shape, axis);
      at += one.size;
      return { ...one, shape, values };
    });
    this.near = this.axes.map((axis) => axis.values.map((_, i) => nearest(axis.nodes, i)));
  }

  // State of every widget that changes, at a place among the values of each axis.
  frame(place) {
    const states = {};
    const resting = this.axes.map((axis, a) => weights(axis, place[a]));
    const here = { place, resting };
    for (const track of this.header.tracks) {
      states[track.model] ??= {};
      states[track.model][track.trait] = this.value(track, here);
    }
    return states;
  }

  value(track, here) {
    if (track.kind === "text") return JSON.parse(this.text(track, here), revive);
    const shape = track.shapes[this.at(track.shape, here.place)];
    const count = shape.reduce((all, one) => all * one, 1);
    const out = new Float64Array(count).fill(NaN);
    if ("wide" in track) this.fill(out, track, here.place);
    for (let k = 0; k < count && !("wide" in track); k += 1) {
      if (track.base[k] === null) continue;
      const gap = track.gaps[k];
      if (gap && this.at(gap, here.place)) continue;
      out[k] = this.between([track.base[k], track.series[k]], here) * track.step;
      if (track.log) out[k] = 10 ** out[k];
    }
    if (track.kind === "number") return out[0];
    return { value: new DataView(out.buffer), dtype: "float64", shape, type: null };
  }

  // All points of a long curve, which stand side by side.
  fill(out, track, place) {
    const { over, shape, values, wide } = this.series[track.wide];
    const start = over.reduce((at, axis, i) => at * shape[i] + this.near[axis][place[axis]], 0);
    for (let k = 0; k < out.length; k += 1) {
      const value = (track.base[0] + values[start * wide + k]) * track.step;
      out[k] = track.log ? 10 ** value : value;
    }
  }

  text(track, here) {
    const which = this.at(track.template, here.place);
    const [first, ...rest] = track.templates[which];
    return track.slots[which].reduce((text, [digits, decimals], k) => {
      const code = this.at(decimals, here.place);
      return text + printed(this.number(digits, decimals, here), code) + rest[k];
    }, first);
  }

  number(digits, decimals, here) {
    const value = (place) => this.at(digits, place) / 10 ** places(this.at(decimals, place))[0];
    const used = this.used(digits, here) ?? this.used(decimals, here);
    if (!used) return value(here.place);
    return used.reduce((total, [share, place]) => total + share * value(place), 0);
  }

  // The recorded places that a series rests on here, where they are several.
  used(ref, { place, resting }) {
    if (ref[1] < 0 || this.series[ref[1]].whole) return null;
    for (const axis of this.series[ref[1]].over) {
      if (resting[axis].length < 2) continue;
      return resting[axis].map(([share, at]) => [share, place.with(axis, at)]);
    }
    return null;
  }

  between(ref, here) {
    const used = this.used(ref, here);
    if (!used) return this.at(ref, here.place);
    const { edge } = this.series[ref[1]];
    if (edge !== null) return this.toEdge(ref, here.place, ref[0] + edge);
    return used.reduce((total, [share, place]) => total + share * this.at(ref, place), 0);
  }

  // What is held at an edge rests on the positions that are not, and ends at the edge.
  toEdge(ref, place, edge) {
    const axis = this.series[ref[1]].over.find(
      (a) => this.axes[a].nodes.length < this.axes[a].values.length,
    );
    const { along, support } = this.axes[axis];
    const value = (k) => this.at(ref, place.with(axis, support[k]));
    const used = beside(support.map((_, k) => value(k) !== edge), support, place[axis]);
    if (!used.length) return edge;
    const rests = lagrange(along, used.map((k) => support[k]), place[axis]);
    const total = rests.reduce((sum, [share], i) => sum + share * value(used[i]), 0);
    return value(used[0]) > edge ? Math.max(total, edge) : Math.min(total, edge);
  }

  // Base and series at the nearest recorded place.
  at([base, series], place) {
    if (series < 0) return base;
    const { over, whole, shape, values } = this.series[series];
    let index = 0;
    over.forEach((axis, i) => {
      index = index * shape[i] + (whole ? place[axis] : this.near[axis][place[axis]]);
    });
    return base + values[index];
  }
}

// Lagrange's polynomial through the nearest recorded positions: [share, place] of each.
function weights({ along, nodes, support }, at) {
  if (nodes.includes(at)) return [[1, at]];
  const found = support.findIndex((node) => node >= at);
  const first = Math.min(Math.max(found - NEAREST / 2, 0), Math.max(support.length - NEAREST, 0));
  return lagrange(along, support.slice(first, first + NEAREST), at);
}

function lagrange(along, used, at) {
  return used.map((node) => {
    let share = 1;
    for (const other of used) {
      if (other === node) continue;
      share *= (along[at] - along[other]) / (along[node] - along[other]);
    }
    return [share, node];
  });
}

// Up to six free positions in a row, nearest to one between two of which one is free.
function beside(free, support, at) {
  const right = support.findIndex((node) => node >= at);
  const start = [right - 1, right].filter((k) => free[k]);
  if (!start.length) return [];
  let [low, high] = [start[0], start[start.length - 1]];
  while (high - low + 1 < NEAREST) {
    const more = [low - 1, high + 1].filter((k) => free[k]);
    if (!more.length) break;
    more.sort((a, b) => Math.abs(support[a] - at) - Math.abs(support[b] - at));
    [low, high] = [Math.min(low, more[0]), Math.max(high, more[0])];
  }
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

function nearest(nodes, at) {
  let best = 0;
  nodes.forEach((node, i) => {
    if (Math.abs(node - at) < Math.abs(nodes[best] - at)) best = i;
  });
  return best;
}

// Seven bits a byte, zigzag: 0, -1, 1, -2, ...
function numbers(bytes, start, end, shape) {
  const values = new Int32Array(shape.reduce((all, one) => all * one, 1));
  let [place, part, weight] = [0, 0, 1];
  for (let i = start; i < end; i += 1) {
    part += (bytes[i] & 127) * weight;
    weight *= 128;
    if (bytes[i] < 128) {
      values[place] = part % 2 ? -(part + 1) / 2 : part / 2;
      [place, part, weight] = [place + 1, 0, 1];
    }
  }
  return values;
}

function sum(values, shape, axis) {
  const step = shape.slice(axis + 1).reduce((all, one) => all * one, 1);
  const block = step * shape[axis];
  for (let i = 0; i < values.length; i += 1) {
    if (i % block >= step) values[i] += values[i - step];
  }
}

// Decimals, below 0 for zeros before the point, and whether thousands have commas between them.
function places(code) {
  const grouped = code > 50;
  return [grouped ? code - 100 : code, grouped];
}

function printed(value, code) {
  const [decimals, grouped] = places(code);
  if (decimals <= 0) {
    const whole = Math.round(value / 10 ** -decimals) * 10 ** -decimals + 0;
    return grouped ? whole.toLocaleString("en-US") : String(whole);
  }
  const text = (value + (value > 0 ? 1e-9 : -1e-9)).toFixed(decimals);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

function revive(_, value) {
  if (typeof value?.base64 !== "string") return value;
  return new DataView(Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)).buffer);
}
