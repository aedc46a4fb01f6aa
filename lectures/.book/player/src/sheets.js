// The style sheets of the front ends; esbuild writes them to mount.css, which is put in here.

import "@lumino/widgets/style/widget.css";
import "@jupyter-widgets/controls/css/widgets-base.css";

const link = document.createElement("link");
link.rel = "stylesheet";
link.href = new URL("mount.css", import.meta.url).href;
const theme = document.createElement("link");
theme.rel = "stylesheet";
theme.href = new URL("theme.css", import.meta.url).href;
document.head.append(theme, link);
