// The machine as a picture: namespaces, in them devices with their queues, and who leases from whom.
//
// A device is drawn anew when its piece changes and at no other time, so that a machine of a thousand devices costs what
// of it changes. Those that lend stand to the left; edges are laid over it all by where the boxes are.

import { ask, draw, get, make, path, soon } from "./element.js";

const SHOWN = 80; // devices of a namespace that has not been opened wide
const EDGES = 400; // that are drawn at once
const LINES = new Set(["leased", "peer"]); // edges that are drawn; the others are told in words

export class Picture {
  constructor(selected) {
    this.selected = selected;
    this.tree = get("tree");
    this.namespaces = new Map(); // name -> {box, group, label, wide}
    this.devices = new Map(); // id -> {piece, box}
    this.owner = new Map(); // id of a part -> id of its device
    this.dirty = new Set();
    this.chosen = null;
    this.render = soon(() => this.#render());
    this.redraw = soon(() => this.#edges());
    this.tree.addEventListener("keydown", (event) => this.#key(event));
    this.tree.addEventListener("click", (event) => this.#click(event));
    this.tree.addEventListener("pointerover", (event) => this.#light(event.target.closest(".device")));
    this.tree.addEventListener("pointerleave", () => this.#light(null));
    this.tree.addEventListener("focusin", (event) => this.#light(event.target.closest(".device")));
    this.tree.addEventListener("focusout", () => this.#light(null));
    get("find").addEventListener("input", () => this.#find());
    new ResizeObserver(this.redraw).observe(this.tree);
  }

  /** A namespace, or a device, is so now. */
  set(key, piece) {
    if (key.startsWith("netns ")) {
      const known = this.namespaces.get(piece.name) ?? this.#namespace(piece.name);
      known.count = piece.devices;
    } else {
      const known = this.devices.get(piece.id) ?? { box: null };
      for (const part of known.piece?.parts ?? []) this.owner.delete(part.id);
      for (const part of piece.parts) this.owner.set(part.id, piece.id);
      for (const edge of [...(known.piece?.edges ?? []), ...piece.edges]) {
        const other = this.owner.get(edge.to) ?? edge.to;
        if (this.devices.has(other)) this.dirty.add(other);
      }
      known.piece = piece;
      this.devices.set(piece.id, known);
      this.dirty.add(piece.id);
    }
    this.render();
  }

  /** It is no more. */
  gone(key) {
    if (key.startsWith("netns ")) {
      this.namespaces.get(key.slice(6))?.box.remove();
      this.namespaces.delete(key.slice(6));
    } else {
      const known = this.devices.get(key.slice(4));
      for (const part of known?.piece.parts ?? []) this.owner.delete(part.id);
      for (const edge of known?.piece.edges ?? []) this.dirty.add(this.owner.get(edge.to) ?? edge.to);
      for (const { from } of this.#into(key.slice(4))) this.dirty.add(this.owner.get(from) ?? from);
      known?.box?.remove();
      this.devices.delete(key.slice(4));
    }
    this.render();
  }

  /** Nothing is known any more. */
  clear() {
    for (const name of [...this.namespaces.keys()]) this.gone(`netns ${name}`);
    for (const id of [...this.devices.keys()]) this.gone(`dev ${id}`);
  }

  /** Leases, each once: [lender's device, its queue, lessee's device, its queue]. */
  leases() {
    const found = [];
    for (const { piece } of this.devices.values()) {
      for (const edge of piece.edges) {
        if (edge.label === "leased") found.push([piece.id, this.#queue(edge.from), this.owner.get(edge.to), this.#queue(edge.to)]);
      }
    }
    return found;
  }

  #queue(id) {
    return id.slice(id.lastIndexOf(" rx ") + 1);
  }

  /** The lines that end at a device or in parts of it. */
  #into(id) {
    if (!this.incoming) {
      this.incoming = new Map();
      for (const { piece } of this.devices.values()) {
        for (const edge of piece.edges) {
          if (!LINES.has(edge.label)) continue;
          const to = this.owner.get(edge.to) ?? edge.to;
          const known = this.incoming.get(to);
          if (known) known.push(edge);
          else this.incoming.set(to, [edge]);
        }
      }
    }
    return this.incoming.get(id) ?? [];
  }

  #namespace(name) {
    const label = make("div", { class: "label" }, make("b", { text: name }), make("span"));
    const group = make("div", { role: "group", class: "group" });
    const box = make("div", { role: "treeitem", "aria-level": 1, "aria-expanded": "true", class: "netns", tabindex: -1 }, label, group);
    const known = { name, box, label, group, count: 0, wide: false };
    this.namespaces.set(name, known);
    return known;
  }

  #render() {
    this.incoming = null;
    for (const id of this.dirty) {
      const known = this.devices.get(id);
      if (!known) continue;
      const focused = known.box === document.activeElement;
      const box = this.#device(known.piece);
      if (known.box) known.box.replaceWith(box);
      known.box = box;
      if (focused) box.focus();
    }
    this.dirty.clear();
    this.#arrange();
    this.#find();
    this.onrender?.();
    this.redraw();
  }

  /** Puts boxes where they belong; those that are there already stay. */
  #arrange() {
    const members = new Map([...this.namespaces.keys()].map((name) => [name, []]));
    for (const known of this.devices.values()) members.get(known.piece.netns)?.push(known);
    const lends = (name) => name === "init" || members.get(name).some(({ piece }) => piece.edges.some((one) => one.label === "leased"));
    const names = [...this.namespaces.keys()];
    const sides = [names.filter(lends), names.filter((name) => !lends(name))].filter((side) => side.length);
    while (this.tree.children.length > sides.length) this.tree.lastElementChild.remove();
    while (this.tree.children.length < sides.length) this.tree.append(make("div", { role: "presentation", class: "side" }));
    this.tree.classList.toggle("two", sides.length > 1);
    sides.forEach((side, index) => order(this.tree.children[index], side.map((name) => this.namespaces.get(name).box)));
    for (const [name, { label, group, box, wide, count }] of this.namespaces) {
      const known = members.get(name).sort((one, two) => this.#weight(two) - this.#weight(one) || one.piece.index - two.piece.index);
      const shown = wide ? known : known.slice(0, SHOWN);
      const boxes = shown.map((one) => one.box);
      if (known.length > shown.length) {
        boxes.push(make("button", { type: "button", class: "rest", tabindex: -1, text: `${known.length - shown.length} more` }));
      }
      order(group, boxes);
      const text = count === 1 ? "1 device" : `${count} devices`;
      label.lastElementChild.textContent = text;
      box.setAttribute("aria-label", `namespace ${name}, ${text}`);
    }
    const current = this.tree.querySelector('[tabindex="0"]');
    if (!current) this.tree.querySelector('[role="treeitem"]')?.setAttribute("tabindex", 0);
    const devices = this.devices.size;
    get("picture-count").textContent = `${devices} ${devices === 1 ? "device" : "devices"} in ${this.namespaces.size} ` +
      (this.namespaces.size === 1 ? "namespace" : "namespaces");
  }

  /** What there is more to see of comes first. */
  #weight({ piece }) {
    if (piece.nic) return 3;
    const into = this.#into(piece.id);
    if (into.some((edge) => edge.label === "leased")) return 2;
    return piece.parts.length || piece.edges.length || into.length ? 1 : 0;
  }

  #device(piece) {
    const into = this.#into(piece.id);
    const queues = piece.parts.filter((part) => part.kind === "queue");
    const facts = [...this.#facts(piece, into)];
    const lent = new Set([...piece.edges.map((edge) => edge.label === "leased" && edge.from), ...into.map((edge) => edge.to)]);
    const plain = !queues.length && !facts.length;
    const box = make("div", {
      role: "treeitem", "aria-level": 2, class: `device${piece.nic ? " nic" : ""}${plain ? " plain" : ""}`, tabindex: -1,
      "data-id": piece.id, "aria-selected": String(this.chosen === piece.id), title: `${piece.id} ${piece.about} ${piece.state}`,
      "aria-label": [`${piece.name} ${piece.about}, ${piece.state}`, ...facts.map((fact) => fact.textContent)].join("; "),
    }, make("div", { class: "head" }, make("i", { class: "dot", "data-state": piece.state }),
      make("span", { class: "name", text: piece.name }),
      plain || !piece.about ? null : make("span", { class: "about", text: piece.about })));
    if (queues.length) {
      box.append(make("div", { class: "queues" }, make("em", { text: "rx" }), ...queues.map((part) => make("span", {
        class: `queue${lent.has(part.id) ? " leased" : ""}${part.lines.length > 1 ? " bound" : ""}`,
        text: [part.lines[0].replace(/^rx /, "").replace(" to ", "–"), ...part.lines.slice(1)].join(" "),
      }))));
    }
    if (facts.length) box.append(make("ul", { class: "facts" }, ...facts));
    return box;
  }

  /** What is tied to a device, in words: the lines of the picture are not for everybody. */
  *#facts(piece, into) {
    for (const edge of into) {
      if (edge.label === "peer") yield fact("", "peer", edge.from, edge);
      else yield fact("lease", `${this.#queue(edge.to)} leased from`, `${this.owner.get(edge.from)} ${this.#queue(edge.from)}`, edge);
    }
    const shares = new Map();
    for (const edge of piece.edges) {
      if (edge.label === "leased") yield fact("lease", `${this.#queue(edge.from)} leased to`, this.owner.get(edge.to) ?? edge.to, edge);
      else if (edge.label === "master") yield fact("", "in", edge.to.slice(edge.to.indexOf("/") + 1));
      else if (edge.label === "peer") yield fact("", "peer", edge.to, edge);
      else shares.set(edge.from, [...(shares.get(edge.from) ?? []), edge]);
    }
    for (const part of piece.parts) {
      if (part.kind === "queue") continue;
      const to = (shares.get(part.id) ?? []).map((edge) => {
        const where = edge.to.includes(" rx ") ? this.#name(piece, edge.to) : edge.to.slice(edge.to.indexOf(" rss ") + 1).replace("rss", "RSS context");
        return edge.label && edge.label !== "100%" ? `${where} (${edge.label})` : where;
      });
      const [head, ...rest] = part.lines;
      const said = part.kind === "rule" ? `${head}: ${rest.join(" ")}` : head;
      yield fact("", to.length ? `${said} →` : said, to.join(", "));
    }
  }

  #name(piece, id) {
    return piece.parts.find((part) => part.id === id)?.lines[0].replace(" to ", "–") ?? this.#queue(id);
  }

  #edges() {
    const svg = get("edges");
    const frame = svg.getBoundingClientRect();
    const lines = new Map(); // where an edge is told of: at its beginning, and at its end
    for (const told of this.tree.querySelectorAll("[data-edge]")) {
      const [from, to] = told.dataset.edge.split("\n");
      const known = lines.get(told.dataset.edge) ?? { from, to };
      known[told.closest(".device").dataset.id === (this.owner.get(from) ?? from) ? "start" : "end"] = told;
      lines.set(told.dataset.edge, known);
    }
    const paths = [];
    for (const { from, to, start, end } of [...lines.values()].slice(0, EDGES)) {
      if (!start?.offsetParent || !end?.offsetParent) continue;
      const leased = start.classList.contains("lease");
      const ends = `${this.owner.get(from) ?? from}\n${this.owner.get(to) ?? to}`;
      const [line, first, last] = curve(start, end, frame);
      paths.push(draw("path", { d: line, class: leased ? "leased" : "peer", "data-ends": ends }));
      if (leased) for (const [cx, cy] of [first, last]) paths.push(draw("circle", { cx, cy, r: 3, "data-ends": ends }));
    }
    svg.replaceChildren(...paths);
    this.#light(document.activeElement?.closest(".device"));
  }

  /** What has to do with a device is shown, and the rest steps back. */
  #light(box) {
    const id = box?.dataset.id;
    const svg = get("edges");
    const ends = new Set();
    for (const line of svg.children) {
      const mine = id !== undefined && line.dataset.ends.split("\n").includes(id);
      line.classList.toggle("on", mine);
      if (mine) line.dataset.ends.split("\n").forEach((end) => ends.add(end));
    }
    svg.classList.toggle("some", ends.size > 0);
    for (const lit of this.tree.querySelectorAll(".device.on")) lit.classList.remove("on");
    for (const end of ends) this.devices.get(end)?.box?.classList.add("on");
  }

  #find() {
    const wanted = get("find").value.trim().toLowerCase();
    for (const { piece, box } of this.devices.values()) {
      box.hidden = wanted !== "" && !`${piece.id} ${piece.about}`.toLowerCase().includes(wanted);
    }
    this.redraw();
  }

  #click(event) {
    const rest = event.target.closest(".rest");
    const label = event.target.closest(".label");
    const box = event.target.closest(".device");
    if (rest) this.#widen(rest.closest(".netns"));
    else if (label) this.#fold(label.parentElement, label.parentElement.getAttribute("aria-expanded") === "false");
    else if (box) this.choose(box);
  }

  #widen(netns) {
    for (const known of this.namespaces.values()) if (known.box === netns) known.wide = true;
    const next = netns.querySelectorAll(".device").length;
    this.#render();
    this.#focus(netns.querySelectorAll(".device")[next]);
  }

  #fold(netns, open) {
    netns.setAttribute("aria-expanded", String(open));
    this.redraw();
  }

  #key(event) {
    const items = [...this.tree.querySelectorAll('[role="treeitem"], .rest')].filter((item) => item.offsetParent);
    const at = items.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const item = items[at];
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key in moves) this.#focus(items[moves[event.key]]);
    else if (event.key === "ArrowLeft" && item.matches(".netns")) this.#fold(item, false);
    else if (event.key === "ArrowRight" && item.matches(".netns")) this.#fold(item, true);
    else if (event.key === "ArrowLeft") this.#focus(item.closest(".netns"));
    else if ((event.key === "Enter" || event.key === " ") && item.matches(".device")) this.choose(item);
    else if ((event.key === "Enter" || event.key === " ") && item.matches(".rest")) this.#widen(item.closest(".netns"));
    else return;
    event.preventDefault();
  }

  #focus(item) {
    if (!item) return;
    for (const old of this.tree.querySelectorAll('[tabindex="0"]')) old.setAttribute("tabindex", -1);
    item.setAttribute("tabindex", 0);
    item.focus();
  }

  /** Tells of a device, and of no other. */
  async choose(box) {
    this.tree.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    this.chosen = box?.dataset.id ?? null;
    if (!box) return this.selected(null);
    box.setAttribute("aria-selected", "true");
    this.#focus(box);
    const piece = this.devices.get(this.chosen).piece;
    try {
      this.selected(piece, await ask(`device/${path(piece.netns, piece.name)}`));
    } catch (error) {
      this.selected(piece, { error: error.message });
    }
  }
}

/** A line of what is tied to a device; edge: which is drawn from there, or to there. */
function fact(kind, said, what, edge) {
  const drawn = edge && `${edge.from}\n${edge.to}`;
  return make("li", { class: kind, "data-edge": drawn }, `${said} `, what ? make("b", { text: what }) : null);
}

/** Puts elements below another in that order, and touches none that is where it belongs. */
function order(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const element of wanted) {
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}

/**
 * A curve between the edges of two devices, at the height of the lines that tell of it; and its two ends. Devices one above
 * the other are joined around their right side.
 */
function curve(start, end, frame) {
  const middle = (line) => line.getBoundingClientRect().top + line.offsetHeight / 2 - frame.top;
  const [from, to] = [start, end].map((line) => line.closest(".device").getBoundingClientRect());
  const forth = to.left > from.right;
  const back = to.right < from.left;
  const x1 = (back ? from.left : from.right) - frame.left;
  const x2 = (forth ? to.left : to.right) - frame.left;
  const [y1, y2] = [middle(start), middle(end)];
  const reach = forth || back ? (x2 - x1) / 2 : Math.max(x1, x2) - x1 + Math.min(60, 14 + Math.abs(y2 - y1) / 12);
  const c2 = forth || back ? x2 - reach : x1 + reach;
  return [`M${x1} ${y1}C${x1 + reach} ${y1} ${c2} ${y2} ${x2} ${y2}`, [x1, y1], [x2, y2]];
}
