// A manager of Jupyter widgets on a static page, with their own front ends and no others.

import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import { Widget } from "@lumino/widgets";
import anywidget from "amd:anywidget";
import bqplot from "amd:bqplot";
import bqscales from "amd:bqscales";

const MODULES = {
  "@jupyter-widgets/base": base,
  "@jupyter-widgets/controls": controls,
};

// The front ends of the Python packages are AMD modules that ask for the base alone.
for (const [name, module] of Object.entries({ anywidget, bqplot, bqscales })) {
  module((needed, make) => {
    MODULES[name] = make(...needed.map((one) => MODULES[one]));
  });
}

export class Manager extends ManagerBase {
  constructor(kernel) {
    super();
    this.kernel = kernel;
  }

  async loadClass(name, module) {
    const found = MODULES[module]?.[name];
    if (!found) throw new Error(`no ${name} in ${module}`);
    return found;
  }

  async _create_comm(_, id) { return this.kernel.comm(id); }

  async _get_comm_info() { return {}; }

  // Every model of a recorded state, each with a comm to the recording.
  async restore(state) {
    await Promise.all(Object.entries(state).map(([id, one]) => {
      for (const { path, data } of one.buffers ?? []) {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const last = path[path.length - 1];
        const holder = path.slice(0, -1).reduce((value, key) => value[key], one.state);
        holder[last] = new DataView(bytes.buffer);
      }
      return this.new_model({
        model_id: id, model_name: one.model_name, model_module: one.model_module,
        model_module_version: one.model_module_version, comm: this.kernel.comm(id),
      }, one.state);
    }));
  }

  async show(id, place) {
    const view = await this.create_view(await this.get_model(id));
    Widget.attach(view.luminoWidget ?? view.pWidget, place);
    return view;
  }
}
